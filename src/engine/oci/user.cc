#include "engine/oci/user.h"

#include <algorithm>
#include <optional>

#include "base/strings.h"

namespace engine::oci {
namespace {

constexpr std::uint64_t kHighestId = 0x7fffffff;

std::optional<std::uint32_t> number(std::string_view text) {
  const auto value = base::parse_uint(text);
  if (!value || *value > kHighestId) return std::nullopt;
  return static_cast<std::uint32_t>(*value);
}

struct PasswdEntry {
  std::string_view name;
  std::uint32_t uid, gid;
};
struct GroupEntry {
  std::string_view name;
  std::uint32_t gid;
  std::vector<std::string_view> members;
};

/// Lines that are no entry are skipped, as every reader of these files does.
template <class Entry, class Parse>
std::vector<Entry> entries(std::string_view text, Parse parse) {
  std::vector<Entry> result;
  for (const std::string_view line : base::split(text, '\n')) {
    if (line.empty() || line.front() == '#') continue;
    if (auto entry = parse(base::split(line, ':'))) result.push_back(std::move(*entry));
  }
  return result;
}

std::vector<PasswdEntry> parse_passwd(std::string_view text) {
  return entries<PasswdEntry>(text, [](const auto& fields) -> std::optional<PasswdEntry> {
    if (fields.size() < 4) return std::nullopt;
    const auto uid = number(fields[2]);
    const auto gid = number(fields[3]);
    if (!uid || !gid) return std::nullopt;
    return PasswdEntry{fields[0], *uid, *gid};
  });
}

std::vector<GroupEntry> parse_group(std::string_view text) {
  return entries<GroupEntry>(text, [](const auto& fields) -> std::optional<GroupEntry> {
    if (fields.size() < 3) return std::nullopt;
    const auto gid = number(fields[2]);
    if (!gid) return std::nullopt;
    return GroupEntry{fields[0], *gid,
                      fields.size() > 3 ? base::split_words(fields[3], ',') : std::vector<std::string_view>{}};
  });
}

bool looks_numeric(std::string_view text) { return base::parse_int(text).has_value(); }

base::Error out_of_range() { return base::invalid("uids and gids must be in range 0-2147483647"); }

base::Result<std::uint32_t> find_group(std::string_view wanted, const std::vector<GroupEntry>& groups) {
  const auto by_name = std::ranges::find(groups, wanted, &GroupEntry::name);
  if (by_name != groups.end()) return by_name->gid;
  if (const auto gid = number(wanted)) return *gid;
  if (looks_numeric(wanted)) return out_of_range();
  return base::invalid("unable to find group " + std::string{wanted} + ": no matching entries in group file");
}

}  // namespace

bool needs_user_files(std::string_view user, const std::vector<std::string>& further_groups) {
  const auto parts = base::cut(user, ":");
  return !parts || parts->second.empty() || !number(parts->first) || !number(parts->second) ||
         !std::ranges::all_of(further_groups, [](const std::string& name) { return number(name).has_value(); });
}

base::Result<spec::oci::User> resolve_user(std::string_view user, std::string_view passwd,
                                           std::string_view group,
                                           const std::vector<std::string>& further_groups) {
  const auto parts = base::cut(user, ":");
  const std::string_view wanted_user = parts ? parts->first : user;
  const std::string_view wanted_group = parts ? parts->second : std::string_view{};
  const auto users = parse_passwd(passwd);
  const auto groups = parse_group(group);

  spec::oci::User result;
  const std::string_view name = wanted_user.empty() ? "0" : wanted_user;
  auto found = std::ranges::find(users, name, &PasswdEntry::name);
  if (found == users.end()) {
    if (const auto uid = number(name)) {
      result.uid = *uid;
      found = std::ranges::find(users, *uid, &PasswdEntry::uid);
    } else if (looks_numeric(name)) {
      return out_of_range();
    } else {
      return base::invalid("unable to find user " + std::string{name} + ": no matching entries in passwd file");
    }
  }
  if (found != users.end()) {
    result.uid = found->uid;
    result.gid = found->gid;
  }

  if (!wanted_group.empty()) {
    result.gid = TRY(find_group(wanted_group, groups));
  } else if (found != users.end()) {
    for (const GroupEntry& entry : groups) {
      if (std::ranges::find(entry.members, found->name) != entry.members.end()) {
        result.additional_gids.push_back(entry.gid);
      }
    }
  }
  for (const std::string& further : further_groups) {
    result.additional_gids.push_back(TRY(find_group(further, groups)));
  }
  // The kernel does not care about order or repetition, readers of inspect do.
  std::vector<std::uint32_t> unique;
  for (const std::uint32_t gid : result.additional_gids) {
    if (std::ranges::find(unique, gid) == unique.end()) unique.push_back(gid);
  }
  result.additional_gids = std::move(unique);
  return result;
}

}  // namespace engine::oci
