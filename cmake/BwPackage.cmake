# The Debian package: `./bw package`, or `cpack -G DEB` in a release build directory.
# Only the server is installed, so a package needs no test or benchmark to be built first.
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)
set(packaging ${CMAKE_SOURCE_DIR}/packaging)

install(TARGETS bellwire RUNTIME DESTINATION bin)
install(FILES ${packaging}/bellwire.service DESTINATION lib/systemd/system)
install(FILES ${packaging}/sysusers.conf DESTINATION lib/sysusers.d RENAME bellwire.conf)
install(FILES ${packaging}/tmpfiles.conf DESTINATION lib/tmpfiles.d RENAME bellwire.conf)
install(FILES ${packaging}/config.yml DESTINATION /etc/bellwire)
install(FILES README.md ARCHITECTURE.md LICENSE NOTICE DESTINATION share/doc/bellwire)
install(FILES NOTICE DESTINATION share/doc/bellwire RENAME copyright)
install(DIRECTORY docs DESTINATION share/doc/bellwire FILES_MATCHING PATTERN "*.md")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME bellwire)
set(CPACK_PACKAGE_VENDOR "Bellwire")
set(CPACK_PACKAGE_CONTACT "Bellwire <bellwire@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "telephone system for an office")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
    "SIP phones register, call each other, hold and transfer.\nSIP over UDP, TCP, TLS and WebSocket; RTP and SRTP are relayed.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ
    GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION comm)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# systemd: its sysusers and tmpfiles make the user and close the configuration.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "systemd, init-system-helpers")
# What refused callers hear in words; without it they hear tones.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "asterisk-core-sounds-en-g722")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${packaging}/postinst ${packaging}/prerm ${packaging}/postrm
    ${packaging}/conffiles)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
