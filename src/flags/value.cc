#include "flags/value.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include <arpa/inet.h>

#include <fmt/format.h>

#include "base/strings.h"
#include "base/time.h"
#include "flags/units.h"

namespace flags {

using base::Error;
using base::Result;

namespace {

using List = std::vector<std::string>;
using Map = std::map<std::string, std::string>;

Error number_error(std::string_view function, std::string_view text, std::string_view why) {
  return base::invalid(fmt::format("strconv.{}: parsing {}: {}", function, base::quoted(text), why));
}

/// Go's integers with base 0: a sign, then 0x, 0o, 0b or 0 for other radices.
template <class Int>
Result<Int> parse_integer(std::string_view text) {
  constexpr std::string_view kFunction = std::is_signed_v<Int> ? "ParseInt" : "ParseUint";
  std::string_view rest = text;
  bool negative = false;
  if constexpr (std::is_signed_v<Int>) {
    negative = rest.starts_with('-');
    if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  }
  int radix = 10;
  if (rest.size() > 1 && rest[0] == '0') {
    const char mark = static_cast<char>(rest[1] | 0x20);
    radix = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
    rest.remove_prefix(mark == 'x' || mark == 'b' || mark == 'o' ? 2 : 1);
  }
  std::uint64_t magnitude = 0;
  const auto* end = rest.data() + rest.size();
  const auto [stop, error] = std::from_chars(rest.data(), end, magnitude, radix);
  if (rest.empty() || stop != end || error == std::errc::invalid_argument) {
    return number_error(kFunction, text, "invalid syntax");
  }
  const std::uint64_t most =
      static_cast<std::uint64_t>(std::numeric_limits<Int>::max()) + (negative ? 1U : 0U);
  if (error != std::errc{} || magnitude > most) return number_error(kFunction, text, "value out of range");
  return static_cast<Int>(negative ? 0 - magnitude : magnitude);
}

template <class Int>
Value integer(Int& target, std::string_view type) {
  return {&target,
          [](void* object, std::string_view text) -> Result<> {
            *static_cast<Int*>(object) = TRY(parse_integer<Int>(text));
            return {};
          },
          type,
          fmt::to_string(target),
          target == 0,
          {}};
}

/// Go's text of a duration: "1m30s", "0s", "100ms".
std::string duration_text(std::chrono::nanoseconds duration) {
  const auto count = duration.count();
  if (count == 0) return "0s";
  if (count < 0) return "-" + duration_text(-duration);
  if (count < 1'000) return fmt::format("{}ns", count);
  if (count < 1'000'000) return fmt::format("{}\xc2\xb5s", static_cast<double>(count) / 1e3);
  if (count < 1'000'000'000) return fmt::format("{}ms", static_cast<double>(count) / 1e6);
  const auto minutes = count / 60'000'000'000;
  const auto seconds = fmt::format("{}s", static_cast<double>(count % 60'000'000'000) / 1e9);
  if (minutes == 0) return seconds;
  if (minutes < 60) return fmt::format("{}m{}", minutes, seconds);
  return fmt::format("{}h{}m{}", minutes / 60, minutes % 60, seconds);
}

/// One line of CSV (RFC 4180) with Go's messages.
Result<> append_csv(List& out, std::string_view text) {
  if (text.empty()) return {};
  while (true) {
    std::string field;
    if (text.starts_with('"')) {
      text.remove_prefix(1);
      while (true) {
        const auto quote = text.find('"');
        if (quote == std::string_view::npos) {
          return base::invalid(R"(parse error on line 1, column 1: extraneous or missing " in quoted-field)");
        }
        field += text.substr(0, quote);
        text.remove_prefix(quote + 1);
        if (!text.starts_with('"')) break;
        field += '"';
        text.remove_prefix(1);
      }
      if (!text.empty() && text.front() != ',') {
        return base::invalid(R"(parse error on line 1, column 1: extraneous or missing " in quoted-field)");
      }
    } else {
      field = text.substr(0, text.find(','));
      if (field.find('"') != std::string::npos) {
        return base::invalid(R"(parse error on line 1, column 1: bare " in non-quoted-field)");
      }
      text.remove_prefix(field.size());
    }
    out.push_back(std::move(field));
    if (text.empty()) return {};
    text.remove_prefix(1);
  }
}

Result<> set_bytes(void* object, std::string_view text) {
  if (!text.empty()) *static_cast<std::int64_t*>(object) = TRY(parse_ram_bytes(text));
  return {};
}

Result<> set_nano_cpus(void* object, std::string_view text) {
  const std::string_view digits = text.starts_with('-') || text.starts_with('+') ? text.substr(1) : text;
  const auto dot = digits.find('.');
  const std::string_view whole = digits.substr(0, dot);
  std::string fraction{dot == std::string_view::npos ? "" : digits.substr(dot + 1)};
  constexpr std::string_view kDigits = "0123456789";
  if (whole.size() + fraction.size() == 0 || whole.find_first_not_of(kDigits) != std::string_view::npos ||
      fraction.find_first_not_of(kDigits) != std::string::npos) {
    return base::invalid(fmt::format("failed to parse {} as a rational number", text));
  }
  fraction.erase(fraction.find_last_not_of('0') + 1);
  if (fraction.size() > 9) return base::invalid("value is too precise");
  fraction.resize(9, '0');
  const auto nanos = base::parse_int(std::string{whole} + fraction);
  if (!nanos) return base::invalid(fmt::format("failed to parse {} as a rational number", text));
  *static_cast<std::int64_t*>(object) = text.starts_with('-') ? -*nanos : *nanos;
  return {};
}

/// Go's %v of a list.
std::string list_text(const List& list) { return "[" + base::join(list, " ") + "]"; }

std::string map_text(const Map& map) {
  List pairs;
  for (const auto& [key, text] : map) pairs.push_back(key + ":" + text);
  return "map" + list_text(pairs);
}

Value list_value(List& target, std::string_view type, Result<> (*set)(void*, std::string_view)) {
  return {&target, set, type, target.empty() ? std::string{} : list_text(target), target.empty(), {}};
}

}  // namespace

Result<bool> parse_bool(std::string_view text) {
  for (const std::string_view yes : {"1", "t", "T", "TRUE", "true", "True"}) {
    if (text == yes) return true;
  }
  for (const std::string_view no : {"0", "f", "F", "FALSE", "false", "False"}) {
    if (text == no) return false;
  }
  return number_error("ParseBool", text, "invalid syntax");
}

Value value(bool& target) {
  return {&target,
          [](void* object, std::string_view text) -> Result<> {
            *static_cast<bool*>(object) = TRY(parse_bool(text));
            return {};
          },
          "",
          target ? "true" : "false",
          !target,
          "true"};
}

Value value(std::string& target) {
  return {&target,
          [](void* object, std::string_view text) -> Result<> {
            *static_cast<std::string*>(object) = text;
            return {};
          },
          "string",
          base::quoted(target),
          target.empty(),
          {}};
}

Value value(std::int64_t& target) { return integer(target, "int"); }
Value value(std::uint64_t& target) { return integer(target, "uint"); }
Value value(std::int32_t& target) { return integer(target, "int"); }
Value value(std::uint32_t& target) { return integer(target, "uint"); }
Value value(std::uint16_t& target) { return integer(target, "uint16"); }

Value value(double& target) {
  return {&target,
          [](void* object, std::string_view text) -> Result<> {
            *static_cast<double*>(object) = TRY(parse_float(text));
            return {};
          },
          "float",
          fmt::format("{:g}", target),
          target == 0,
          {}};
}

Value value(std::chrono::nanoseconds& target) {
  return {&target,
          [](void* object, std::string_view text) -> Result<> {
            *static_cast<std::chrono::nanoseconds*>(object) = TRY(base::parse_duration(text));
            return {};
          },
          "duration",
          duration_text(target),
          target.count() == 0,
          {}};
}

Value value(List& target) {
  return list_value(target, "list", [](void* object, std::string_view text) -> Result<> {
    static_cast<List*>(object)->emplace_back(text);
    return {};
  });
}

Value value(Map& target) {
  return {&target,
          [](void* object, std::string_view text) -> Result<> {
            const auto pair = base::cut(text, "=");
            (*static_cast<Map*>(object))[std::string{pair ? pair->first : text}] =
                std::string{pair ? pair->second : ""};
            return {};
          },
          "map",
          map_text(target),
          false,
          {}};  // docker shows "(default map[])"
}

Value bytes(std::int64_t& target) {
  const auto initial = target > 0 ? binary_size(static_cast<double>(target)) : std::string{"0"};
  return {&target, set_bytes, "bytes", initial, target == 0, {}};
}

Value bytes_or_unlimited(std::int64_t& target) {
  Value out = bytes(target);
  out.set = [](void* object, std::string_view text) -> Result<> {
    if (text != "-1") return set_bytes(object, text);
    *static_cast<std::int64_t*>(object) = -1;
    return {};
  };
  return out;
}

Value nano_cpus(std::int64_t& target) {
  return {&target,     set_nano_cpus,
          "decimal",   fmt::format("{}", static_cast<double>(target) / 1e9),
          target == 0, {}};
}

Value comma_list(List& target) {
  return list_value(target, "strings", [](void* object, std::string_view text) -> Result<> {
    return append_csv(*static_cast<List*>(object), text);
  });
}

Value ip(std::string& target) {
  return {&target,
          [](void* object, std::string_view text) -> Result<> {
            const std::string address{base::trim(text)};
            std::array<unsigned char, sizeof(in6_addr)> buffer{};
            if (::inet_pton(AF_INET, address.c_str(), buffer.data()) != 1 &&
                ::inet_pton(AF_INET6, address.c_str(), buffer.data()) != 1) {
              return base::invalid(fmt::format("failed to parse IP: {}", base::quoted(text)));
            }
            *static_cast<std::string*>(object) = address;
            return {};
          },
          "ip",
          target,
          target.empty(),
          {}};
}

Value key_values(Map& target) {
  return {&target,
          [](void* object, std::string_view text) -> Result<> {
            const auto pair = base::cut(text, "=");
            if (!pair) return base::invalid(fmt::format("{} must be formatted as key=value", text));
            (*static_cast<Map*>(object))[std::string{pair->first}] = std::string{pair->second};
            return {};
          },
          "stringToString",
          map_text(target),
          target.empty(),
          {}};
}

}  // namespace flags
