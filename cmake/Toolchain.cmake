# Compiler, linker and the libraries that more than one module uses.
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor
  -Woverloaded-virtual -Wmissing-declarations -Wformat=2
  -ffunction-sections -fdata-sections -fno-semantic-interposition)
add_compile_options(-Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  add_compile_options(-Wno-gnu-statement-expression -Wno-gnu-statement-expression-from-macro-expansion)
endif()
# -iquote, not -I: <sys/socket.h> is the C library's, "sys/socket.h" is ours.
add_compile_options("SHELL:-iquote ${CMAKE_SOURCE_DIR}/src" "SHELL:-iquote ${CMAKE_BINARY_DIR}/generated")
add_link_options(-Wl,--gc-sections)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_options(-fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
  add_link_options(-Wl,-z,relro,-z,now)
endif()
if(CAISSON_SANITIZE)
  add_compile_options(-fsanitize=${CAISSON_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${CAISSON_SANITIZE})
endif()
if(CAISSON_FAULTS)
  add_compile_definitions(CAISSON_FAULTS)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE}")
endif()
find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()

find_package(Threads REQUIRED)
set(Boost_USE_STATIC_LIBS ON)
set(Boost_NO_WARN_NEW_VERSIONS ON)
find_package(Boost 1.81 REQUIRED COMPONENTS json)

# {fmt}: Debian has no static archive of it, so base/detail/fmt.cc instantiates the library once.
# Without locales, which the static programs would otherwise drag in.
add_compile_definitions("CAISSON_VERSION=\"${PROJECT_VERSION}\"")
add_compile_definitions("FMT_STATIC_THOUSANDS_SEPARATOR=','")

if(CAISSON_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()
