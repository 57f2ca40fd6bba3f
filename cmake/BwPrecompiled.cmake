# The standard library and fmt, and for tests GoogleTest, are read once and not in each of four hundred files. No header
# of the project is among them: the include wall stays what it is. ./bw switches it on; a build without it (any preset
# by hand) is what finds a missing #include.
option(BW_PRECOMPILED "Read the headers of the standard library from a precompiled one" OFF)

set(BW_PRECOMPILED_HEADERS <algorithm> <array> <atomic> <bitset> <charconv> <chrono> <compare> <condition_variable>
    <cstdint> <cstring> <deque> <expected> <filesystem> <functional> <future> <map> <memory> <mutex> <optional> <set>
    <span> <sstream> <string> <string_view> <thread> <tuple> <unordered_map> <utility> <variant> <vector>
    <fmt/format.h>)

if(BW_PRECOMPILED)
  # A precompiled header is only for those compiled as it was: of one kind of position independence (there is no shared
  # library here) and all for threads.
  set(CMAKE_CXX_COMPILE_OPTIONS_PIC -fPIE)
  add_compile_options(-pthread -Xclang -fno-pch-timestamp)
  if(CMAKE_CXX_COMPILER_LAUNCHER MATCHES "ccache$")
    list(PREPEND CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_SLOPPINESS=pch_defines,time_macros)  # or it keeps none of this
  endif()
endif()

function(bw_precompiled name)
  cmake_parse_arguments(P "" "" "OPTIONS;LIBS;HEADERS" ${ARGN})
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/precompiled/${name}.cc CONTENT "")
  add_library(bw_precompiled_${name} OBJECT ${CMAKE_BINARY_DIR}/precompiled/${name}.cc)
  target_link_libraries(bw_precompiled_${name} PRIVATE bw_options fmt::fmt ${P_LIBS})
  target_compile_options(bw_precompiled_${name} PRIVATE ${P_OPTIONS})
  target_precompile_headers(bw_precompiled_${name} PRIVATE ${BW_PRECOMPILED_HEADERS} ${P_HEADERS})
endfunction()

# Which of them a target can read follows from how it is compiled.
function(bw_use_precompiled directory)
  get_property(targets DIRECTORY ${directory} PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target ${targets})
    get_target_property(kind ${target} TYPE)
    if(NOT kind MATCHES "^(STATIC_LIBRARY|EXECUTABLE)$")
      continue()
    endif()
    get_target_property(options ${target} COMPILE_OPTIONS)
    get_target_property(libraries ${target} LINK_LIBRARIES)
    if(bw_gtest IN_LIST libraries)
      target_precompile_headers(${target} REUSE_FROM bw_precompiled_test)
    elseif(options MATCHES fuzzer-no-link)
      target_precompile_headers(${target} REUSE_FROM bw_precompiled_steered)
    else()
      target_precompile_headers(${target} REUSE_FROM bw_precompiled_module)
    endif()
  endforeach()
  get_property(below DIRECTORY ${directory} PROPERTY SUBDIRECTORIES)
  foreach(one ${below})
    bw_use_precompiled(${one})
  endforeach()
endfunction()

# After all targets are declared.
function(bw_precompile_all)
  if(NOT BW_PRECOMPILED)
    return()
  endif()
  bw_precompiled(module)
  bw_precompiled(test LIBS bw_gtest HEADERS <gtest/gtest.h> <gmock/gmock.h>)
  if(BW_SANITIZE)
    bw_precompiled(steered OPTIONS -fsanitize=fuzzer-no-link)
  endif()
  bw_use_precompiled(${CMAKE_SOURCE_DIR})
endfunction()
