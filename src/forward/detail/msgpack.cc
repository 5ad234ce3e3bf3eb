#include "forward/detail/msgpack.h"

namespace forward::detail::msgpack {
namespace {

void append_byte(std::string& out, std::uint64_t byte) { out += static_cast<char>(byte & 0xffU); }

}  // namespace

void append_big_endian(std::string& out, std::uint64_t value, unsigned bytes) {
  while (bytes-- > 0) append_byte(out, value >> (8U * bytes));
}

void append_array(std::string& out, std::size_t items) { append_byte(out, 0x90U | items); }

void append_map(std::string& out, std::size_t members) {
  if (members < 16) return append_byte(out, 0x80U | members);
  append_byte(out, 0xde);
  append_big_endian(out, members, 2);
}

void append_string(std::string& out, std::string_view text) {
  if (text.size() < 32) {
    append_byte(out, 0xa0U | text.size());
  } else if (text.size() < 0x100) {
    append_byte(out, 0xd9);
    append_big_endian(out, text.size(), 1);
  } else if (text.size() < 0x10000) {
    append_byte(out, 0xda);
    append_big_endian(out, text.size(), 2);
  } else {
    append_byte(out, 0xdb);
    append_big_endian(out, text.size(), 4);
  }
  out += text;
}

void append_number(std::string& out, std::uint64_t number) {
  if (number < 0x80) return append_byte(out, number);
  append_byte(out, 0xcf);
  append_big_endian(out, number, 8);
}

void append_event_time(std::string& out, base::Time time) {
  const auto since = time.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  append_byte(out, 0xd7);  // eight bytes of …
  append_byte(out, 0x00);  // … type 0
  append_big_endian(out, static_cast<std::uint64_t>(seconds.count()), 4);
  append_big_endian(out, static_cast<std::uint64_t>((since - seconds).count()), 4);
}

}  // namespace forward::detail::msgpack
