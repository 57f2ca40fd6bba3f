# bw_module(NAME sip DEPS base [LIBS OpenSSL::Crypto ...])
#
# Declares the module in src/NAME (or DIR): library bw_NAME of every *.cc that is not a test, and,
# if *_test.cc files exist, the test program NAME_test. The include wall: a module sees only
# its own headers and those of modules it depends on, because each module is reached through a
# directory of its own that holds nothing but one link.
function(bw_module)
  cmake_parse_arguments(M "" "NAME;DIR" "DEPS;LIBS;TEST_DEPS;TEST_LIBS" ${ARGN})
  if(NOT M_DIR)
    set(M_DIR ${CMAKE_CURRENT_SOURCE_DIR}/${M_NAME})
  endif()
  foreach(dep ${M_DEPS})
    if(NOT TARGET bw_${dep})
      message(FATAL_ERROR "module ${M_NAME} may not depend on ${dep}: it is not declared below it")
    endif()
  endforeach()
  # Shared by all build directories, so that the compiler cache serves one from another.
  set(wall ${CMAKE_SOURCE_DIR}/build/walls/${M_NAME})
  file(MAKE_DIRECTORY ${wall})
  file(CREATE_LINK ${M_DIR} ${wall}/${M_NAME} SYMBOLIC)

  file(GLOB sources CONFIGURE_DEPENDS ${M_DIR}/*.cc ${M_DIR}/detail/*.cc)
  file(GLOB tests CONFIGURE_DEPENDS ${M_DIR}/*_test.cc ${M_DIR}/detail/*_test.cc)
  if(tests)
    list(REMOVE_ITEM sources ${tests})
  endif()
  list(TRANSFORM M_DEPS PREPEND bw_)
  if(sources)
    add_library(bw_${M_NAME} STATIC ${sources})
    target_include_directories(bw_${M_NAME} PUBLIC ${wall})
    target_link_libraries(bw_${M_NAME} PUBLIC ${M_DEPS} ${M_LIBS} PRIVATE bw_options)
    if(BW_SANITIZE)  # what libFuzzer steers by; without it the counters count for nobody
      target_compile_options(bw_${M_NAME} PRIVATE -fsanitize=fuzzer-no-link)
    endif()
  else()
    add_library(bw_${M_NAME} INTERFACE)
    target_include_directories(bw_${M_NAME} INTERFACE ${wall})
    target_link_libraries(bw_${M_NAME} INTERFACE ${M_DEPS} ${M_LIBS})
  endif()
  if(tests)
    list(TRANSFORM M_TEST_DEPS PREPEND bw_)
    add_executable(${M_NAME}_test ${tests})
    target_link_libraries(${M_NAME}_test PRIVATE bw_${M_NAME} ${M_TEST_DEPS} ${M_TEST_LIBS} bw_options bw_gtest)
    target_compile_definitions(${M_NAME}_test PRIVATE BW_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    add_test(NAME ${M_NAME} COMMAND ${M_NAME}_test)
  endif()
endfunction()

# bw_bench(NAME sip_message DEPS sip)
#
# NAME_bench out of NAME_bench.cc, linked with Google Benchmark. Figures are only worth something from the
# release preset.
function(bw_bench)
  cmake_parse_arguments(B "" "NAME" "DEPS;LIBS" ${ARGN})
  list(TRANSFORM B_DEPS PREPEND bw_)
  add_executable(${B_NAME}_bench ${B_NAME}_bench.cc)
  target_link_libraries(${B_NAME}_bench PRIVATE ${B_DEPS} ${B_LIBS} bw_options benchmark::benchmark_main)
endfunction()

# bw_fuzz(NAME sip_uri DEPS sip)
#
# NAME_fuzz out of NAME_fuzz.cc with libFuzzer's main; its seeds are in corpus/NAME.
function(bw_fuzz)
  cmake_parse_arguments(F "" "NAME" "DEPS;LIBS" ${ARGN})
  list(TRANSFORM F_DEPS PREPEND bw_)
  add_executable(${F_NAME}_fuzz ${F_NAME}_fuzz.cc)
  target_link_libraries(${F_NAME}_fuzz PRIVATE ${F_DEPS} ${F_LIBS} bw_options)
  target_link_options(${F_NAME}_fuzz PRIVATE -fsanitize=fuzzer)
  if(NOT TARGET fuzzers)
    add_custom_target(fuzzers)
  endif()
  add_dependencies(fuzzers ${F_NAME}_fuzz)
endfunction()
