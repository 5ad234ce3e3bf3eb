find_package(OpenSSL 3 REQUIRED)
target_link_libraries(caisson_http PRIVATE Boost::headers OpenSSL::SSL OpenSSL::Crypto)
