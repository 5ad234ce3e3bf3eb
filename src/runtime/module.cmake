find_library(SECCOMP_ARCHIVE NAMES libseccomp.a REQUIRED)
target_link_libraries(caisson_runtime PRIVATE ${SECCOMP_ARCHIVE})
