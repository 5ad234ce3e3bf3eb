# zlib, not ISA-L: the shim links this module statically, and Debian has a static zlib only.
find_package(ZLIB REQUIRED)
find_library(CAISSON_ZLIB_STATIC libz.a REQUIRED)
target_include_directories(caisson_logs PRIVATE ${ZLIB_INCLUDE_DIRS})
target_link_libraries(caisson_logs PRIVATE ${CAISSON_ZLIB_STATIC})
