#include <algorithm>

#include <linux/magic.h>

#include <fmt/format.h>

#include "base/strings.h"
#include "cgroup/cgroup.h"
#include "sys/file.h"
#include "sys/mount.h"

namespace cgroup {

using base::Result;

namespace {

constexpr std::string_view kMountPoint = "/sys/fs/cgroup";
constexpr std::string_view kNamed = "name=";

/// One line of /proc/<pid>/cgroup: "4:memory:/a/b"; cgroups(7).
struct Membership {
  std::string_view controllers;
  std::string_view path;
};

std::vector<Membership> memberships(std::string_view text) {
  std::vector<Membership> out;
  for (const auto line : base::split_words(text, '\n')) {
    const auto id = base::cut(line, ":");
    const auto rest = id ? base::cut(id->second, ":") : std::nullopt;
    if (rest) out.push_back({rest->first, rest->second});
  }
  return out;
}

Hierarchy make_hierarchy(std::string mount_point, const Membership& member) {
  Hierarchy out{std::move(mount_point), {}, member.controllers.empty(), std::string{member.path}};
  for (const auto name : base::split_words(member.controllers, ',')) out.controllers.emplace_back(name);
  return out;
}

/// Where everybody mounts it: a directory named like the controllers, "unified" for v2 beside v1.
std::string usual_place(const std::string& root, std::string_view controllers) {
  if (controllers.empty()) return root + "/unified";
  if (controllers.starts_with(kNamed)) controllers.remove_prefix(kNamed.size());
  return fmt::format("{}/{}", root, controllers);
}

Result<bool> is_file_system(const std::string& path, std::uint64_t type) {
  const auto found = sys::file_system_type_at(path);
  if (found.failed_as(base::ErrorKind::NotFound)) return false;
  if (!found) return base::Error{found.error()};
  return *found == type;
}

/// Mount points that stand elsewhere, by the options that mountinfo shows; proc_pid_mountinfo(5).
std::string place_in_mountinfo(std::string_view mountinfo, const Membership& member) {
  for (const auto line : base::split_words(mountinfo, '\n')) {
    const auto halves = base::cut(line, " - ");
    if (!halves) continue;
    const auto fields = base::split_words(halves->first);
    const auto type = base::split_words(halves->second);
    if (fields.size() < 5 || type.size() < 3) continue;
    if (member.controllers.empty()) {
      if (type[0] == "cgroup2") return std::string{fields[4]};
      continue;
    }
    if (type[0] != "cgroup") continue;
    const auto options = base::split(type[2], ',');
    const auto wanted = base::split(member.controllers, ',');
    const bool all = std::ranges::all_of(wanted, [&](std::string_view one) {
      return std::ranges::find(options, one) != options.end();
    });
    if (all) return std::string{fields[4]};
  }
  return {};
}

Result<Host> v2_alone(const std::string& root, std::string_view own) {
  Host host;
  for (const auto& member : memberships(own)) {
    if (member.controllers.empty()) host.hierarchies.push_back(make_hierarchy(root, member));
  }
  if (host.hierarchies.empty()) host.hierarchies.push_back({root, {}, true, "/"});
  return host;
}

void v2_last(Host& host) {
  std::ranges::stable_partition(host.hierarchies, [](const Hierarchy& one) { return !one.v2; });
}

}  // namespace

bool Hierarchy::has(std::string_view controller) const {
  return std::ranges::find(controllers, controller) != controllers.end();
}

bool Host::v2_only() const { return hierarchies.size() == 1 && hierarchies.front().v2; }

const Hierarchy* Host::v1(std::string_view controller) const {
  const auto found = std::ranges::find_if(
      hierarchies, [&](const Hierarchy& one) { return !one.v2 && one.has(controller); });
  return found == hierarchies.end() ? nullptr : &*found;
}

const Hierarchy* Host::v2() const {
  const auto found = std::ranges::find_if(hierarchies, [](const Hierarchy& one) { return one.v2; });
  return found == hierarchies.end() ? nullptr : &*found;
}

Result<Host> Host::detect() {
  const std::string root{kMountPoint};
  const std::string own = TRY(sys::read_file(sys::kCwd, "/proc/self/cgroup").context("find the cgroups"));
  if (TRY(is_file_system(root, CGROUP2_SUPER_MAGIC))) return v2_alone(root, own);
  Host host;
  std::string mountinfo;
  for (const auto& member : memberships(own)) {
    const bool v2 = member.controllers.empty();
    std::string place = usual_place(root, member.controllers);
    if (!TRY(is_file_system(place, v2 ? CGROUP2_SUPER_MAGIC : CGROUP_SUPER_MAGIC))) {
      if (mountinfo.empty()) mountinfo = TRY(sys::read_file(sys::kCwd, "/proc/self/mountinfo"));
      place = place_in_mountinfo(mountinfo, member);
    }
    if (!place.empty()) host.hierarchies.push_back(make_hierarchy(std::move(place), member));
  }
  if (host.hierarchies.empty()) return base::not_found("no cgroup hierarchy is mounted: is /sys/fs/cgroup there?");
  v2_last(host);
  return host;
}

Result<Host> Host::detect_in(const std::string& root, std::string_view own) {
  if (TRY(sys::exists(sys::kCwd, root + "/cgroup.controllers"))) return v2_alone(root, own);
  Host host;
  for (const auto& member : memberships(own)) {
    std::string place = usual_place(root, member.controllers);
    if (TRY(sys::exists(sys::kCwd, place))) host.hierarchies.push_back(make_hierarchy(std::move(place), member));
  }
  if (host.hierarchies.empty()) return base::not_found("no cgroup hierarchy in " + root);
  v2_last(host);
  return host;
}

}  // namespace cgroup
