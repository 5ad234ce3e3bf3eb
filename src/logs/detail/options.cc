#include "logs/detail/options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>

#include "base/strings.h"
#include "logs/remote_options.h"

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

namespace {

struct Names {
  const char* size;
  const char* files;
  const char* compress;
};
constexpr Names kOwn{"max-size", "max-file", "compress"};
constexpr Names kCache{"cache-max-size", "cache-max-file", "cache-compress"};

constexpr std::uint64_t kDefaultSize = 20'000'000;
constexpr unsigned kDefaultFiles = 5;

const std::string* find(const Config& config, const char* name) {
  const auto found = config.options.find(name);
  return found == config.options.end() ? nullptr : &found->second;
}

/// What is given; the rest of `out` stays.
Result<> take_given(const Config& config, const Names& names, RotationOptions& out) {
  if (const auto* text = find(config, names.size); text != nullptr && *text != "-1") {
    out.max_size = parse_size(*text, 1000);
    if (!out.max_size) return base::invalid("invalid size: '" + *text + "'");
    if (*out.max_size == 0) return base::invalid(std::string{names.size} + " must be a positive number");
  } else if (text != nullptr) {
    out.max_size.reset();
  }
  if (const auto* text = find(config, names.files)) {
    const auto count = base::parse_int(*text);
    if (!count) return base::invalid("strconv.Atoi: parsing " + base::quoted(*text) + ": invalid syntax");
    if (*count < 1) return base::invalid(std::string{names.files} + " cannot be less than 1");
    out.max_files = static_cast<unsigned>(std::min<std::int64_t>(*count, 1'000'000));
  }
  if (const auto* text = find(config, names.compress)) out.compress = TRY(parse_bool(*text));
  return {};
}

}  // namespace

Result<RotationOptions> json_file_options(const Config& config) {
  RotationOptions out{.max_size = kDefaultSize, .max_files = kDefaultFiles};
  // Whoever gives a size means docker's rules, where there is one file then.
  if (find(config, kOwn.size) != nullptr) out.max_files = 1;
  TRY(take_given(config, kOwn, out));
  if (out.compress && (out.max_files == 1 || !out.max_size)) {
    return base::invalid("compress cannot be true when max-file is less than 2 or max-size is not set");
  }
  return out;
}

Result<RotationOptions> local_options(const Config& config) {
  RotationOptions out{.max_size = kDefaultSize, .max_files = kDefaultFiles, .compress = true};
  TRY(take_given(config, kOwn, out));
  if (out.max_files == 1 && find(config, kOwn.compress) == nullptr) out.compress = false;
  if (out.compress && out.max_files == 1) {
    return base::invalid("compression cannot be enabled when max file count is 1");
  }
  return out;
}

Result<std::optional<RotationOptions>> cache_options(const Config& config) {
  using Cache = std::optional<RotationOptions>;
  RotationOptions out{.max_size = kDefaultSize, .max_files = kDefaultFiles, .compress = true};
  TRY(take_given(config, kCache, out));
  if (out.max_files == 1) out.compress = false;
  if (const auto* text = find(config, "cache-disabled"); text != nullptr && TRY(parse_bool(*text))) return Cache{};
  return Cache{out};
}

bool is_remote(std::string_view driver) {
  static constexpr std::array<std::string_view, 4> kRemote{"journald", "syslog", "fluentd", "gelf"};
  return std::ranges::find(kRemote, driver) != kRemote.end();
}

}  // namespace logs::detail
