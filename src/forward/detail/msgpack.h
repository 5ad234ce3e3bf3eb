#pragma once
/// What fluentd's forward protocol needs of MessagePack, writing. Source: github.com/msgpack/msgpack, spec.md;
/// github.com/fluent/fluentd, Forward Protocol Specification v1.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"

namespace forward::detail::msgpack {

void append_big_endian(std::string& out, std::uint64_t value, unsigned bytes);
/// At most 15 items.
void append_array(std::string& out, std::size_t items);
void append_map(std::string& out, std::size_t members);
void append_string(std::string& out, std::string_view text);
void append_number(std::string& out, std::uint64_t number);
/// fluentd's EventTime: seconds and nanoseconds.
void append_event_time(std::string& out, base::Time time);

}  // namespace forward::detail::msgpack
