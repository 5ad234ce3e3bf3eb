find_package(OpenSSL 3 REQUIRED)
# By name, not as CMake's targets: those name the shared libraries, and a static program that is linked with these
# starts, and crashes at the first call.
target_link_libraries(caisson_http PRIVATE Boost::headers ssl crypto)
