find_library(SECCOMP_ARCHIVE NAMES libseccomp.a REQUIRED)
target_link_libraries(caisson_runtime PRIVATE ${SECCOMP_ARCHIVE})
# Runs once per container: what counts is how much of it must be in memory, not how it loops.
target_compile_options(caisson_runtime PRIVATE "$<$<CONFIG:Release>:-Os>")
