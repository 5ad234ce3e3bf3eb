find_package(CURL 7.85 REQUIRED)
target_link_libraries(caisson_distribution PRIVATE CURL::libcurl)
