# The pages of web/, built by npm and embedded in the program (web/embed.mjs). npm runs again only when their
# sources have changed.
set(web ${CMAKE_SOURCE_DIR}/web)
find_program(NODE node REQUIRED)
file(GLOB_RECURSE web_sources CONFIGURE_DEPENDS ${web}/phone-client/src/* ${web}/phone/src/* ${web}/phone/public/*)
file(GLOB web_settings CONFIGURE_DEPENDS ${web}/*.json ${web}/*.mjs ${web}/phone-client/*.json ${web}/phone/*.json
     ${web}/phone/*.ts ${web}/phone/*.js ${web}/phone/*.html)
set(assets ${CMAKE_BINARY_DIR}/web/assets.cc)
add_custom_command(OUTPUT ${assets} COMMAND ${NODE} ${web}/embed.mjs ${assets} DEPENDS ${web_sources} ${web_settings}
                   COMMENT "Building the pages" VERBATIM)
target_sources(bw_pages PRIVATE ${assets})
