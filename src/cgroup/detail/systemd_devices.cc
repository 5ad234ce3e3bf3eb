#include "cgroup/detail/systemd_devices.h"

#include <fmt/format.h>

namespace cgroup::detail {

using codec::Json;

namespace {

constexpr unsigned kRead = 1;
constexpr unsigned kWrite = 2;
constexpr unsigned kMknod = 4;
constexpr unsigned kAll = kRead | kWrite | kMknod;
/// DeviceAllow of a major number alone: "char-136".
constexpr std::uint64_t kMajorsSince = 240;

struct Allowed {
  char type;
  std::optional<std::uint32_t> major;
  std::optional<std::uint32_t> minor;
  unsigned access;
};

bool covers(const std::optional<std::uint32_t>& pattern, const std::optional<std::uint32_t>& other) {
  return !pattern || pattern == other;
}
bool meets(const std::optional<std::uint32_t>& one, const std::optional<std::uint32_t>& other) {
  return !one || !other || *one == *other;
}

/// What a list allows in the end. Wherever it is not exact it allows less.
class AllowList {
 public:
  void add(const DeviceRule& rule) {
    const unsigned access = (rule.read ? kRead : 0) | (rule.write ? kWrite : 0) | (rule.mknod ? kMknod : 0);
    if (rule.type == 'a' && !rule.major && !rule.minor && access == kAll) {
      allowed_.clear();
      everything_ = rule.allow;
      exact_ = true;
      return;
    }
    for (const char type : {'b', 'c'}) {
      if (rule.type == 'a' || rule.type == type) add({type, rule.major, rule.minor, access}, rule.allow);
    }
  }

  [[nodiscard]] bool exact() const { return exact_; }
  [[nodiscard]] bool everything() const { return everything_; }
  [[nodiscard]] const std::vector<Allowed>& allowed() const { return allowed_; }

 private:
  void add(const Allowed& rule, bool allow) {
    if (everything_) {
      // "All but": whether a later rule heals it again is not worth to be found out.
      if (!allow) exact_ = false;
      return;
    }
    if (allow) {
      for (auto& one : allowed_) {
        if (one.type != rule.type || one.major != rule.major || one.minor != rule.minor) continue;
        one.access |= rule.access;
        return;
      }
      allowed_.push_back(rule);
      return;
    }
    for (auto& one : allowed_) {
      if (one.type != rule.type || !meets(rule.major, one.major) || !meets(rule.minor, one.minor)) continue;
      const bool whole = covers(rule.major, one.major) && covers(rule.minor, one.minor);
      if (!whole && (one.access & rule.access) != 0) exact_ = false;
      one.access &= ~rule.access;
    }
    std::erase_if(allowed_, [](const Allowed& one) { return one.access == 0; });
  }

  bool everything_ = false;
  bool exact_ = true;
  std::vector<Allowed> allowed_;
};

/// The first half of a DeviceAllow entry; empty when systemd has no words for it.
std::string path_of(const Allowed& one, std::uint64_t version) {
  const std::string_view kind = one.type == 'b' ? "block" : "char";
  if (one.major && one.minor) return fmt::format("/dev/{}/{}:{}", kind, *one.major, *one.minor);
  if (one.minor || (one.major && version < kMajorsSince)) return {};
  return one.major ? fmt::format("{}-{}", kind, *one.major) : fmt::format("{}-*", kind);
}

}  // namespace

bool has_holes(const std::vector<DeviceRule>& rules) {
  AllowList list;
  for (const auto& rule : rules) list.add(rule);
  return !list.everything() && !list.exact();
}

std::vector<UnitProperty> device_properties(const std::vector<DeviceRule>& rules, std::uint64_t version, bool v2) {
  AllowList list;
  for (const auto& rule : rules) list.add(rule);
  Json::Array entries;
  bool exact = list.exact();
  for (const auto& one : list.allowed()) {
    const std::string path = path_of(one, version);
    if (path.empty()) {
      exact = false;
      continue;
    }
    std::string access;
    if ((one.access & kRead) != 0) access += 'r';
    if ((one.access & kWrite) != 0) access += 'w';
    if ((one.access & kMknod) != 0) access += 'm';
    entries.push_back(Json::array({path, access}));
  }
  const bool open = exact ? list.everything() : v2;
  // What the unit had before is forgotten by an empty list.
  std::vector<UnitProperty> out{{"DevicePolicy", "s", open ? "auto" : "strict"},
                                {"DeviceAllow", "a(ss)", Json{Json::Array{}}}};
  if (!open && !entries.empty()) out.push_back({"DeviceAllow", "a(ss)", Json{std::move(entries)}});
  return out;
}

}  // namespace cgroup::detail
