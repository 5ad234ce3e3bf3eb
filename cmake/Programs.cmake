# caisson_program(NAME [STATIC] MODULES a b c): src/cmd/<name>/*.cc linked with the modules.
# STATIC programs are position-dependent: no relocation at start-up, no private page for it. They
# are the ones that start once per container or per command (docs/adr/006-static-programs.md).
function(caisson_program name)
  cmake_parse_arguments(program "STATIC" "" "MODULES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cc")
  add_executable(${name} ${sources})
  list(TRANSFORM program_MODULES PREPEND caisson_)
  target_link_libraries(${name} PRIVATE ${program_MODULES})
  if(program_STATIC AND NOT CAISSON_SANITIZE)
    # Error paths away from the rest, and no page boundaries between the segments: fewer pages in memory.
    target_link_options(${name} PRIVATE -static -no-pie -Wl,-z,keep-text-section-prefix -Wl,-z,noseparate-code)
    set_target_properties(${name} PROPERTIES CAISSON_STATIC ON) # leaves out libraries without an archive
  endif()
endfunction()
