#include "logs/detail/line_writer.h"

#include <array>
#include <cstdint>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "codec/json.h"

namespace logs::detail {
namespace {

constexpr std::array<bool, 256> plain_bytes() {
  std::array<bool, 256> plain{};
  for (std::size_t c = 0x20; c < 0x80; ++c) plain[c] = true;
  for (const char c : {'"', '\\', '<', '>', '&'}) plain[static_cast<std::uint8_t>(c)] = false;
  return plain;
}
constexpr std::array<bool, 256> kPlain = plain_bytes();

/// How many bytes at the start of `text` need no escape.
std::size_t plain_length(std::string_view text) {
  std::size_t i = 0;
#ifdef __SSE2__
  const auto equals = [](__m128i block, char c) { return _mm_cmpeq_epi8(block, _mm_set1_epi8(c)); };
  for (; i + 16 <= text.size(); i += 16) {
    __m128i block;
    __builtin_memcpy(&block, text.data() + i, sizeof block);
    // Signed: bytes from 0x80 on are negative, so one comparison finds them and the controls.
    __m128i special = _mm_cmplt_epi8(block, _mm_set1_epi8(0x20));
    special = _mm_or_si128(special, _mm_or_si128(equals(block, '"'), equals(block, '\\')));
    special = _mm_or_si128(special, _mm_or_si128(equals(block, '<'), equals(block, '>')));
    special = _mm_or_si128(special, equals(block, '&'));
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(special));
    if (mask != 0) return i + static_cast<std::size_t>(__builtin_ctz(mask));
  }
#endif
  while (i < text.size() && kPlain[static_cast<std::uint8_t>(text[i])]) ++i;
  return i;
}

/// The length of the well-formed UTF-8 sequence at the start of `text`, 0 if there is none (RFC 3629).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = byte(0);
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80U) return 0;
  }
  const std::uint8_t second = byte(1);
  if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) ||
      (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f)) {
    return 0;
  }
  return length;
}

/// Escapes what stands at the start of `text` and says how many bytes that was.
std::size_t append_special(std::string& out, std::string_view text) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  const auto c = static_cast<std::uint8_t>(text[0]);
  if (c >= 0x80) {
    const std::size_t length = utf8_length(text);
    if (length == 0) {
      out += "\\ufffd";
      return 1;
    }
    if (text.starts_with("\xe2\x80\xa8")) {
      out += "\\u2028";
    } else if (text.starts_with("\xe2\x80\xa9")) {
      out += "\\u2029";
    } else {
      out.append(text, 0, length);
    }
    return length;
  }
  switch (c) {
    case '"': out += "\\\""; break;
    case '\\': out += "\\\\"; break;
    case '\n': out += "\\n"; break;
    case '\r': out += "\\r"; break;
    default:
      out += "\\u00";
      out += kHex[c >> 4U];
      out += kHex[c & 15U];
  }
  return 1;
}

}  // namespace

void append_escaped(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const std::size_t plain = plain_length(text);
    out.append(text.data(), plain);
    text.remove_prefix(plain);
    if (!text.empty()) text.remove_prefix(append_special(out, text));
  }
}

std::string line_suffix(Stream stream, std::string_view attributes, base::Time time) {
  std::string out = R"(","stream":")";
  out.append(name_of(stream)).append("\"");
  if (!attributes.empty()) out.append(",\"attrs\":").append(attributes);
  out.append(",\"time\":\"").append(base::to_rfc3339(time)).append("\"}\n");
  return out;
}

std::string attributes_json(const std::map<std::string, std::string>& attributes) {
  if (attributes.empty()) return {};
  codec::Json::Object members;
  for (const auto& [key, value] : attributes) members.emplace_back(key, value);
  return codec::Json{std::move(members)}.dump();
}

}  // namespace logs::detail
