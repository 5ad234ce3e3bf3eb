# `cmake --install` and `cpack -G DEB`: the programs, the built-in images, the systemd units.
include(GNUInstallDirs)

install(TARGETS caisson caisson-init caisson-runtime caisson-shim caissond DESTINATION "${CMAKE_INSTALL_BINDIR}")

set(units "${CMAKE_SOURCE_DIR}/packaging/systemd")
configure_file("${units}/caisson.service.in" "${CMAKE_BINARY_DIR}/packaging/caisson.service" @ONLY)
install(FILES "${CMAKE_BINARY_DIR}/packaging/caisson.service" "${units}/caisson.socket" DESTINATION lib/systemd/system)
install(FILES "${units}/caisson.sysusers" DESTINATION lib/sysusers.d RENAME caisson.conf)
install(FILES "${CMAKE_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/caisson" RENAME copyright)

set(CPACK_PACKAGE_NAME caisson)
set(CPACK_PACKAGE_VERSION "${PROJECT_VERSION}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "container engine with Docker's API and command line")
set(CPACK_PACKAGE_CONTACT "The Caisson authors <caisson@localhost>")
set(CPACK_GENERATOR DEB)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "ca-certificates, criu")
set(debian "${CMAKE_SOURCE_DIR}/packaging/debian")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA "${debian}/postinst;${debian}/prerm;${debian}/postrm")
include(CPack)
