find_package(ZLIB REQUIRED)
target_link_libraries(caisson_forward PRIVATE ZLIB::ZLIB)
# The tests run the program; it is defined after them.
if(CAISSON_TESTS)
  cmake_language(DEFER DIRECTORY "${CMAKE_SOURCE_DIR}" CALL add_dependencies forward_test caisson-log)
endif()
