# Warnings are errors everywhere; the sanitizers are a whole-build switch, so that no object file is ever linked
# across it. The fuzz targets are part of that build (cmake/BwModule.cmake): a third one would take as long again.
add_library(bw_options INTERFACE)
# A designated initializer that leaves the rest to their defaults is the way we write options.
target_compile_options(bw_options INTERFACE -Wall -Wextra -Wconversion -Wshadow -Werror
                       -Wno-missing-designated-field-initializers -fno-omit-frame-pointer)
add_link_options(-fuse-ld=lld)
if(BW_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all)
  add_link_options(-fsanitize=address,undefined)
endif()
