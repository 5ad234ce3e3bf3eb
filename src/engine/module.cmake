# The default seccomp profile is data (data/seccomp_default.json); it is compiled in as one literal.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${CMAKE_CURRENT_LIST_DIR}/data/seccomp_default.json")
file(READ "${CMAKE_CURRENT_LIST_DIR}/data/seccomp_default.json" CAISSON_SECCOMP_DEFAULT)
string(REGEX REPLACE "[\t\n]" "" CAISSON_SECCOMP_DEFAULT "${CAISSON_SECCOMP_DEFAULT}")
configure_file("${CMAKE_CURRENT_LIST_DIR}/data/seccomp_default.h.in"
  "${CMAKE_BINARY_DIR}/generated/engine/seccomp_default.h" @ONLY)
# restrict: a false alarm of g++ 12 on string concatenation (gcc bug 105651).
target_compile_options(caisson_engine PRIVATE -Wno-restrict)
