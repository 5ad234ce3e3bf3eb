# The tests run the program; it is defined after them.
if(CAISSON_TESTS)
  cmake_language(DEFER DIRECTORY "${CMAKE_SOURCE_DIR}" CALL add_dependencies shim_test caisson-shim)
endif()
