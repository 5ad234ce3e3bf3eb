#include <linux/magic.h>
#include <sys/mount.h>

#include <fmt/format.h>

#include "base/strings.h"
#include "runtime/detail/mount_options.h"
#include "runtime/detail/rootfs.h"
#include "sys/file.h"
#include "sys/mount.h"

namespace runtime::detail {

using base::Result;
using sys::UniqueFd;

namespace {

/// The name of a hierarchy's mount point: "memory", "cpu,cpuacct", "systemd".
std::string name_of(const cgroup::Hierarchy& hierarchy) {
  return hierarchy.mount_point.substr(hierarchy.mount_point.rfind('/') + 1);
}

/// The hierarchy as the container shall see it: its own cgroup as the top.
Result<UniqueFd> view_of(const RootfsPlan& plan, const cgroup::Hierarchy& hierarchy, const MountOptions& options) {
  if (plan.new_cgroup_namespace) {
    sys::NewMount wanted{.type = hierarchy.v2 ? "cgroup2" : "cgroup", .source = "cgroup"};
    wanted.attributes = options.change.set;
    for (const auto& controller : hierarchy.controllers) {
      constexpr std::string_view kNamed = "name=";
      if (controller.starts_with(kNamed)) {
        wanted.parameters.push_back({"none", {}, true});
        wanted.parameters.push_back({"name", controller.substr(kNamed.size()), false});
      } else {
        wanted.parameters.push_back({controller, {}, true});
      }
    }
    return sys::make_mount(wanted);
  }
  const std::string key = hierarchy.v2 ? std::string{} : hierarchy.controllers.front();
  auto opened = sys::clone_mount(sys::kCwd, plan.cgroup->directory_of(key), false);
  // Who may not make cgroups has his containers in his own.
  if (opened.failed_as(base::ErrorKind::NotFound) && plan.cgroup_is_optional) {
    opened = sys::clone_mount(sys::kCwd, hierarchy.mount_point + hierarchy.own_path, false);
  }
  UniqueFd tree = TRY(std::move(opened));
  TRY(sys::change_mount(tree.get(), {.set = options.change.set, .clear = options.change.clear, .propagation = MS_PRIVATE}, false));
  return tree;
}

Result<> mount_v2(const RootfsPlan& plan, const MountOptions& options, const std::string& destination) {
  const UniqueFd target = TRY(target_in_root(plan.root.get(), destination, false));
  sys::NewMount wanted{.type = "cgroup2", .source = "cgroup"};
  wanted.attributes = options.change.set;
  auto made = sys::make_mount(wanted);
  if (!made) {
    // A user namespace without a cgroup namespace may not mount it: the host's is bound instead, or the
    // container's own part of it when it has a namespace that only the mount does not know.
    const std::string source = plan.new_cgroup_namespace ? plan.cgroup->directory_of("") : plan.host->v2()->mount_point;
    made = sys::clone_mount(sys::kCwd, source, false);
    if (made) TRY(sys::change_mount(made->get(), {.set = options.change.set, .propagation = MS_PRIVATE}, false));
  }
  return sys::attach_mount(TRY(std::move(made)).get(), target.get());
}

}  // namespace

Result<> mount_cgroups(const RootfsPlan& plan, const spec::oci::Mount& mount) {
  const MountOptions options = parse_mount_options(mount);
  if (plan.host->v2_only()) return mount_v2(plan, options, mount.destination);

  // v1: a small tmpfs with one directory per hierarchy, closed for writing once they are in place.
  const UniqueFd target = TRY(target_in_root(plan.root.get(), mount.destination, false));
  sys::NewMount wanted{.type = "tmpfs", .source = "tmpfs", .parameters = {{"mode", "755"}}};
  wanted.attributes = options.change.set & ~std::uint64_t{MOUNT_ATTR_RDONLY};
  const UniqueFd top = TRY(sys::make_mount(wanted));
  for (const auto& hierarchy : plan.host->hierarchies) {
    if (hierarchy.v2) continue;
    const std::string name = name_of(hierarchy);
    TRY(sys::make_dir(top.get(), name, 0755));
    if (hierarchy.controllers.size() < 2) continue;
    for (const auto& controller : hierarchy.controllers) {
      if (controller != name) TRY(sys::symlink_at(name, top.get(), controller));
    }
  }
  TRY(sys::attach_mount(top.get(), target.get()));
  for (const auto& hierarchy : plan.host->hierarchies) {
    if (hierarchy.v2) continue;
    const UniqueFd view = TRY(view_of(plan, hierarchy, options).context(hierarchy.mount_point));
    const UniqueFd place = TRY(sys::open_at(top.get(), name_of(hierarchy), O_PATH | O_DIRECTORY | O_NOFOLLOW));
    TRY(sys::attach_mount(view.get(), place.get()));
  }
  if (!options.read_only) return {};
  return sys::change_mount(top.get(), {.set = MOUNT_ATTR_RDONLY}, false);
}

}  // namespace runtime::detail
