# Runs once per container: what counts is how much of it must be in memory, not how it loops.
target_compile_options(caisson_cgroup PRIVATE "$<$<CONFIG:Release>:-Os>")
