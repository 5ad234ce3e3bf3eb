target_link_libraries(caisson_codec PRIVATE Boost::json)
