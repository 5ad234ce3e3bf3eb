#include <algorithm>

#include <fmt/format.h>

#include "base/strings.h"
#include "cgroup/systemd.h"

namespace cgroup {

using base::Result;

namespace {

constexpr std::string_view kSlice = ".slice";
constexpr std::string_view kScope = ".scope";
constexpr std::size_t kLongestName = 255;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool may_stand_in_name(char c) {
  return is_letter(c) || (c >= '0' && c <= '9') || std::string_view{":-_.\\@"}.find(c) != std::string_view::npos;
}

/// "a+b" → "a\x2bb"; systemd.unit(5), "String escaping".
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (may_stand_in_name(c)) {
      out += c;
    } else {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

}  // namespace

Result<SystemdUnit> systemd_unit(std::string_view cgroups_path, std::string_view id, bool user) {
  SystemdUnit unit;
  unit.user = user;
  unit.slice = user ? "user.slice" : "system.slice";
  std::string_view prefix = "caisson";
  std::string_view name = id;
  if (!cgroups_path.empty()) {
    const auto parts = base::split(cgroups_path, ':');
    if (parts.size() != 3) {
      return base::invalid(fmt::format("expected cgroupsPath to be of format \"slice:prefix:name\" for systemd cgroups, got {} instead",
                                       base::quoted(cgroups_path)));
    }
    if (!parts[0].empty()) unit.slice = parts[0];
    prefix = parts[1];
    name = parts[2];
  }
  if (name.empty()) return base::invalid("a systemd cgroup needs a name: " + base::quoted(cgroups_path));
  TRY(expand_slice(unit.slice));
  if (name.ends_with(kSlice)) {
    TRY(expand_slice(name));
    unit.name = name;
  } else {
    unit.name = escaped(prefix.empty() ? std::string{name} : fmt::format("{}-{}", prefix, name)).append(kScope);
  }
  if (unit.name.size() > kLongestName) return base::invalid("the name of a systemd unit is too long: " + unit.name);
  return unit;
}

Result<std::string> expand_slice(std::string_view slice) {
  const auto wrong = [&] { return base::invalid("invalid slice name: " + std::string{slice}); };
  if (!slice.ends_with(kSlice) || !std::ranges::all_of(slice, may_stand_in_name)) return wrong();
  const std::string_view stem = slice.substr(0, slice.size() - kSlice.size());
  if (stem == "-") return std::string{};
  std::string path;
  for (std::size_t end = 0; end != std::string_view::npos;) {
    const std::size_t start = end == 0 ? 0 : end + 1;
    end = stem.find('-', start);
    // Neither "a--b" nor "-a" nor "a-" is a slice.
    if (end == start || start == stem.size()) return wrong();
    path.append("/").append(stem.substr(0, end)).append(kSlice);
  }
  return path;
}

Result<std::string> control_group_of(const SystemdUnit& unit) {
  // A slice's place follows from its name alone.
  if (unit.is_slice()) return expand_slice(unit.name);
  const std::string slice = TRY(expand_slice(unit.slice));
  return slice + "/" + unit.name;
}

}  // namespace cgroup
