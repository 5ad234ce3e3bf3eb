find_package(CURL 7.85 REQUIRED)
target_link_libraries(caisson_distribution PRIVATE CURL::libcurl)
# Header-only; its compiled form would be one more shared library in the daemon.
find_path(TOMLPLUSPLUS_INCLUDE_DIR toml++/toml.h REQUIRED)
