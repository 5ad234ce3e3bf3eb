target_link_libraries(caisson_state PRIVATE sqlite3 m)
set_source_files_properties("${dir}/schema_test.cc" PROPERTIES COMPILE_DEFINITIONS
  "STATE_TESTDATA=\"${dir}/testdata\"")
