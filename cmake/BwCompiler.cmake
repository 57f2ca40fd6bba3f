# Warnings are errors everywhere; sanitizers and fuzzing are whole-build switches so that no
# object file is ever linked across them.
add_library(bw_options INTERFACE)
# A designated initializer that leaves the rest to their defaults is the way we write options.
target_compile_options(bw_options INTERFACE -Wall -Wextra -Wconversion -Wshadow -Werror
                       -Wno-missing-designated-field-initializers -fno-omit-frame-pointer)
add_link_options(-fuse-ld=lld)
if(BW_SANITIZE OR BW_FUZZ)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all)
  add_link_options(-fsanitize=address,undefined)
endif()
if(BW_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
  add_link_options(-fsanitize=fuzzer-no-link)
endif()
