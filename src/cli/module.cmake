# Where the tests find their golden files.
file(GLOB_RECURSE cli_tests CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/src/cli/*_test.cc")
set_source_files_properties(${cli_tests} PROPERTIES
  COMPILE_DEFINITIONS "CAISSON_SOURCE_DIR=\"${CMAKE_SOURCE_DIR}\"")
