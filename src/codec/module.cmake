target_link_libraries(caisson_codec PRIVATE Boost::json)
target_link_libraries(caisson_codec PRIVATE crypto zstd)
# Debian has no static ISA-L, and a static libarchive drags half of the system in: a static program
# that calls codec/compression.h or codec/tar.h does not link.
target_link_libraries(caisson_codec PRIVATE
  $<$<NOT:$<BOOL:$<TARGET_PROPERTY:CAISSON_STATIC>>>:isal>
  $<$<NOT:$<BOOL:$<TARGET_PROPERTY:CAISSON_STATIC>>>:archive>)
# The same holds for codec/yaml.h, which no static program needs.
target_link_libraries(caisson_codec PRIVATE $<$<NOT:$<BOOL:$<TARGET_PROPERTY:CAISSON_STATIC>>>:yaml>)
