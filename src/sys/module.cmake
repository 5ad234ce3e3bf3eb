# Where programs that others start are when they are not beside those.
include(GNUInstallDirs)
target_compile_definitions(caisson_sys PRIVATE "CAISSON_LIBEXEC_DIR=\"${CMAKE_INSTALL_FULL_LIBEXECDIR}/caisson\"")
