# Where caisson-systemd is when it is not beside the program that needs it.
include(GNUInstallDirs)
target_compile_definitions(caisson_cgroup PRIVATE "CAISSON_LIBEXEC_DIR=\"${CMAKE_INSTALL_FULL_LIBEXECDIR}/caisson\"")
# Runs once per container: what counts is how much of it must be in memory, not how it loops.
target_compile_options(caisson_cgroup PRIVATE "$<$<CONFIG:Release>:-Os>")
