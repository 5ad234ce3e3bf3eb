# share/caisson/images: the archives of busybox and hello-world that work without a registry. Beside
# bin/, where caissond looks for them in the build tree as in an installation.
find_program(BUSYBOX_STATIC busybox PATHS /bin /usr/bin NO_DEFAULT_PATH REQUIRED)
find_package(Python3 REQUIRED COMPONENTS Interpreter)

add_executable(hello "${CMAKE_SOURCE_DIR}/src/cmd/hello/main.cc")
set_target_properties(hello PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/image-parts")
# Static in every build, and what a sanitizer needs is not in the image.
target_compile_options(hello PRIVATE -fno-sanitize=all)
target_link_options(hello PRIVATE -fno-sanitize=all -static -no-pie -s)

set(images "${CMAKE_BINARY_DIR}/share/caisson/images")
set(maker "${CMAKE_SOURCE_DIR}/tools/make_builtin_images.py")
add_custom_command(
  OUTPUT "${images}/busybox.tar" "${images}/hello-world.tar"
  COMMAND Python3::Interpreter "${maker}" "${images}" "${BUSYBOX_STATIC}" "$<TARGET_FILE:hello>"
  DEPENDS hello "${maker}" "${BUSYBOX_STATIC}"
  COMMENT "Built-in images"
  VERBATIM)
add_custom_target(builtin_images ALL DEPENDS "${images}/busybox.tar" "${images}/hello-world.tar")
install(FILES "${images}/busybox.tar" "${images}/hello-world.tar" DESTINATION share/caisson/images)

if(CAISSON_TESTS)
  add_test(NAME tools.make_builtin_images
    COMMAND Python3::Interpreter "${CMAKE_SOURCE_DIR}/tools/make_builtin_images_test.py" "${BUSYBOX_STATIC}" $<TARGET_FILE:hello>)
  set_tests_properties(tools.make_builtin_images PROPERTIES LABELS unit TIMEOUT 60)
endif()
