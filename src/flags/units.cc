#include "flags/units.h"

#include <array>
#include <charconv>
#include <cmath>
#include <span>

#include <fmt/format.h>

#include "base/strings.h"

namespace flags {

using base::Result;

namespace {

constexpr std::string_view kMultiples = "kmgtp";

Result<std::int64_t> parse_size(std::string_view text, double step) {
  const auto last = text.find_last_of("0123456789. ");
  if (last == std::string_view::npos) return base::invalid(fmt::format("invalid size: '{}'", text));
  const std::string_view number = text.substr(0, text[last] == ' ' ? last : last + 1);
  const std::string suffix = base::to_lower(text.substr(last + 1));
  double size = TRY(parse_float(number));
  if (size < 0) return base::invalid(fmt::format("invalid size: '{}'", text));
  if (!suffix.empty() && suffix != "b") {
    const auto power = kMultiples.find(suffix[0]);
    const std::string_view rest = std::string_view{suffix}.substr(1);
    if (power == std::string_view::npos || !(rest.empty() || rest == "b" || rest == "ib")) {
      return base::invalid(fmt::format("invalid suffix: '{}'", suffix));
    }
    size *= std::pow(step, static_cast<double>(power + 1));
  }
  // Go's conversion of a float that does not fit is the smallest integer on amd64.
  if (!(size < 9223372036854775808.0)) return base::invalid(fmt::format("invalid size: '{}'", text));
  return static_cast<std::int64_t>(size);
}

std::string with_unit(double size, double step, int digits, std::span<const std::string_view> units) {
  std::size_t unit = 0;
  while (size >= step && unit + 1 < units.size()) {
    size /= step;
    ++unit;
  }
  return fmt::format("{:.{}g}{}", size, digits, units[unit]);
}

}  // namespace

Result<double> parse_float(std::string_view text) {
  double value = 0;
  std::string_view digits = text;
  const bool plus = digits.starts_with('+');
  if (plus) digits.remove_prefix(1);
  const auto* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value);
  if (error == std::errc::result_out_of_range) {
    return base::invalid(
        fmt::format("strconv.ParseFloat: parsing {}: value out of range", base::quoted(text)));
  }
  if (error != std::errc{} || stop != end || (plus && digits.starts_with('-'))) {
    return base::invalid(fmt::format("strconv.ParseFloat: parsing {}: invalid syntax", base::quoted(text)));
  }
  return value;
}

Result<std::int64_t> parse_ram_bytes(std::string_view text) { return parse_size(text, 1024); }
Result<std::int64_t> parse_human_size(std::string_view text) { return parse_size(text, 1000); }

std::string human_size(double bytes, int digits) {
  static constexpr std::array<std::string_view, 9> kUnits{"B",  "kB", "MB", "GB", "TB",
                                                          "PB", "EB", "ZB", "YB"};
  return with_unit(bytes, 1000, digits, kUnits);
}

std::string binary_size(double bytes) {
  static constexpr std::array<std::string_view, 9> kUnits{"B",   "KiB", "MiB", "GiB", "TiB",
                                                          "PiB", "EiB", "ZiB", "YiB"};
  return with_unit(bytes, 1024, 4, kUnits);
}

}  // namespace flags
