#include <fmt/format.h>

#include "cgroup/systemd.h"

namespace cgroup {

using base::Result;

namespace {

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

Result<> check_name(std::string_view name) {
  if (name.size() < 3) return base::invalid("too short");
  for (const char c : name) {
    if (!is_lower(c) && !(c >= 'A' && c <= 'Z')) return base::invalid("contains non-alphabetic character");
  }
  return {};
}

/// systemd's documentation and files say "TimeoutStopSec", its bus says "TimeoutStopUSec".
Result<> seconds_to_microseconds(UnitProperty& property) {
  const std::string_view name = property.name;
  if (!name.ends_with("Sec") || name.size() < 4 || !is_lower(name[name.size() - 4])) return {};
  constexpr std::uint64_t kMicroseconds = 1'000'000;
  const auto& value = property.value;
  std::uint64_t result = 0;
  if (value.is_integer()) {
    if (value.as_int() < 0 || value.as_uint() > UINT64_MAX / kMicroseconds) return base::invalid("not a time");
    result = value.as_uint() * kMicroseconds;
  } else if (value.is_number()) {
    const double microseconds = value.as_double() * static_cast<double>(kMicroseconds);
    if (!(microseconds >= 0 && microseconds < 1e18)) return base::invalid("not a time");
    result = static_cast<std::uint64_t>(microseconds);
  } else {
    return base::invalid("not a number");
  }
  property = {std::string{name.substr(0, name.size() - 3)} + "USec", "t", result};
  return {};
}

Result<UnitProperty> annotated_property(std::string_view name, std::string_view text) {
  TRY(check_name(name));
  UnitProperty property{std::string{name}, {}, {}};
  property.value = TRY(parse_gvariant(text, property.signature));
  TRY(seconds_to_microseconds(property));
  return property;
}

}  // namespace

Result<std::vector<UnitProperty>> annotated_properties(const std::map<std::string, std::string>& annotations) {
  constexpr std::string_view kPrefix = "org.systemd.property.";
  std::vector<UnitProperty> out;
  for (const auto& [key, text] : annotations) {
    if (!key.starts_with(kPrefix)) continue;
    out.push_back(TRY(annotated_property(std::string_view{key}.substr(kPrefix.size()), text)
                          .context(fmt::format("annotation {}={}", key, text))));
  }
  return out;
}

}  // namespace cgroup
