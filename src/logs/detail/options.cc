#include "logs/detail/options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>

#include "base/strings.h"

namespace logs::detail {

using base::Result;

std::optional<std::uint64_t> parse_size(std::string_view text, std::uint64_t unit) {
  const auto digits = text.find_first_not_of("0123456789.");
  const std::string_view number = text.substr(0, digits);
  std::string suffix = digits == std::string_view::npos ? "" : base::to_lower(base::trim(text.substr(digits)));
  double value = 0;
  const auto [end, code] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (number.empty() || code != std::errc{} || end != number.data() + number.size()) return std::nullopt;
  if (suffix.size() > 1 && suffix.ends_with('b')) suffix.pop_back();
  if (suffix.size() > 1 && suffix.ends_with('i')) {
    suffix.pop_back();
    unit = 1024;
  }
  static constexpr std::string_view kPrefixes = "bkmgtp";
  std::size_t power = 0;
  if (!suffix.empty()) {
    power = kPrefixes.find(suffix);
    if (suffix.size() != 1 || power == std::string_view::npos) return std::nullopt;
  }
  value *= std::pow(static_cast<double>(unit), static_cast<double>(power));
  if (!(value < 9.2e18)) return std::nullopt;
  return static_cast<std::uint64_t>(value);
}

Result<JsonFileOptions> json_file_options(const Config& config) {
  JsonFileOptions out;
  const auto option = [&](const char* name) -> const std::string* {
    const auto found = config.options.find(name);
    return found == config.options.end() ? nullptr : &found->second;
  };
  if (const auto* text = option("max-size"); text != nullptr && *text != "-1") {
    out.max_size = parse_size(*text, 1000);
    if (!out.max_size) return base::invalid("invalid size: '" + *text + "'");
    if (*out.max_size == 0) return base::invalid("max-size must be a positive number");
  }
  if (const auto* text = option("max-file"); text != nullptr) {
    const auto count = base::parse_int(*text);
    if (!count) return base::invalid("strconv.Atoi: parsing " + base::quoted(*text) + ": invalid syntax");
    if (*count < 1) return base::invalid("max-file cannot be less than 1");
    out.max_files = static_cast<unsigned>(std::min<std::int64_t>(*count, 1'000'000));
  }
  if (const auto* text = option("compress"); text != nullptr) {
    static constexpr std::array<std::string_view, 6> kTrue{"1", "t", "T", "TRUE", "true", "True"};
    static constexpr std::array<std::string_view, 6> kFalse{"0", "f", "F", "FALSE", "false", "False"};
    out.compress = std::ranges::find(kTrue, *text) != kTrue.end();
    if (!out.compress && std::ranges::find(kFalse, *text) == kFalse.end()) {
      return base::invalid("strconv.ParseBool: parsing " + base::quoted(*text) + ": invalid syntax");
    }
    if (out.compress && (out.max_files == 1 || !out.max_size)) {
      return base::invalid("compress cannot be true when max-file is less than 2 or max-size is not set");
    }
  }
  return out;
}

}  // namespace logs::detail
