#include "cli/template/literal.h"

#include <charconv>

#include <fmt/format.h>

#include "base/strings.h"

namespace cli::tmpl {

using base::Result;

void append_utf8(std::string& out, std::uint32_t code) {
  const auto tail = [&](unsigned shift) { out += static_cast<char>(0x80U | (code >> shift & 0x3fU)); };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0U | code >> 6U);
    tail(0);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0U | code >> 12U);
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xf0U | code >> 18U);
    tail(12);
    tail(6);
    tail(0);
  }
}

std::int64_t first_code_point(std::string_view text) {
  if (text.empty()) return 0;
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return first;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc0 || length > text.size()) return 0xfffd;
  std::int64_t code = first & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    code = code << 6 | (static_cast<unsigned char>(text[i]) & 0x3fU);
  }
  return code;
}

namespace {

/// The escape behind a backslash; takes it off the front.
bool append_escape(std::string& out, std::string_view& text, char quote) {
  const char c = text[0];
  text.remove_prefix(1);
  constexpr std::string_view kLetters = "abfnrtv\\";
  constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\";
  if (const auto at = kLetters.find(c); at != std::string_view::npos) {
    out += kMeanings[at];
    return true;
  }
  if (c == quote) {
    out += c;
    return true;
  }
  const std::size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : c >= '0' && c <= '7' ? 2 : 0;
  if (digits == 0 || text.size() < digits) return false;
  std::string number{text.substr(0, digits)};
  text.remove_prefix(digits);
  const bool octal = c >= '0' && c <= '7';
  if (octal) number.insert(number.begin(), c);
  std::uint32_t code = 0;
  const auto [stop, error] =
      std::from_chars(number.data(), number.data() + number.size(), code, octal ? 8 : 16);
  if (error != std::errc{} || stop != number.data() + number.size()) return false;
  if (octal || c == 'x') {
    if (code > 255) return false;
    out += static_cast<char>(code);
    return true;
  }
  if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return false;
  append_utf8(out, code);
  return true;
}

}  // namespace

std::optional<std::string> unquote(std::string_view literal) {
  if (literal.size() < 2 || literal.front() != literal.back()) return std::nullopt;
  const char quote = literal.front();
  std::string_view body = literal.substr(1, literal.size() - 2);
  if (quote == '`') {
    std::string out{body};
    std::erase(out, '\r');
    return out;
  }
  std::string out;
  std::size_t characters = 0;
  while (!body.empty()) {
    const char c = body[0];
    body.remove_prefix(1);
    if (c == '\n' || c == quote) return std::nullopt;
    if (c == '\\') {
      if (body.empty() || !append_escape(out, body, quote)) return std::nullopt;
    } else {
      out += c;
    }
    if ((static_cast<unsigned char>(c) & 0xc0U) != 0x80U) ++characters;
  }
  if (quote == '\'' && characters != 1) return std::nullopt;
  return out;
}

Result<Value> parse_number(std::string_view text) {
  const auto bad = [&] { return base::invalid("illegal number syntax: " + base::quoted(text)); };
  std::string digits{text};
  std::erase(digits, '_');
  std::string_view rest = digits;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  if (rest.find_first_of(".eE") != std::string_view::npos && !rest.starts_with("0x") &&
      !rest.starts_with("0X")) {
    double value = 0;
    const auto* end = rest.data() + rest.size();
    const auto [stop, error] = std::from_chars(rest.data(), end, value);
    if (error != std::errc{} || stop != end) return bad();
    return Value{negative ? -value : value};
  }
  int radix = 10;
  if (rest.size() > 1 && rest[0] == '0') {
    const char mark = static_cast<char>(rest[1] | 0x20);
    radix = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
    rest.remove_prefix(mark == 'x' || mark == 'b' || mark == 'o' ? 2 : 1);
  }
  std::uint64_t value = 0;
  const auto* end = rest.data() + rest.size();
  const auto [stop, error] = std::from_chars(rest.data(), end, value, radix);
  if (error == std::errc::result_out_of_range) {
    return base::invalid("integer overflow: " + base::quoted(text));
  }
  if (error != std::errc{} || stop != end) return bad();
  if (!negative && value > static_cast<std::uint64_t>(INT64_MAX)) return Value{value};
  if (negative && value > static_cast<std::uint64_t>(INT64_MAX) + 1) {
    return base::invalid("integer overflow: " + base::quoted(text));
  }
  return Value{static_cast<std::int64_t>(negative ? 0 - value : value)};
}

}  // namespace cli::tmpl
