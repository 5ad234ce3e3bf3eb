#pragma once
/// Building a container's root, in its new mount namespace, before the change of root.
///
/// The root is a detached mount that is first put on top of "/", where no path leads, so it need not
/// be reachable by path for the container's user. Every target is found by openat2(RESOLVE_IN_ROOT)
/// from its descriptor; every mount is complete with its attributes before it is attached there.
///
/// Attacks that this is written against: symlinks in the image that lead targets out of the root
/// (CVE-2021-30465 and its kind); a procfs replaced by something that only looks like it
/// (CVE-2019-16884, CVE-2019-19921, CVE-2023-27561); a /dev/null in the image that is not one, as the
/// source of masks (CVE-2025-31133). What is written to under /proc is the host's procfs.

#include <string>
#include <vector>

#include "base/result.h"
#include "cgroup/cgroup.h"
#include "spec/runtime_config.h"
#include "sys/fd.h"

namespace runtime::detail {

struct RootfsPlan {
  const spec::oci::Spec* spec = nullptr;
  std::string bundle;
  /// A detached mount. Attached by enter_rootfs.
  sys::UniqueFd root;
  /// By index of spec->mounts: detached trees that only the parent could open or map; else invalid.
  std::vector<sys::UniqueFd> trees;
  const cgroup::Host* host = nullptr;
  const cgroup::Cgroup* cgroup = nullptr;
  bool new_cgroup_namespace = false;
  bool cgroup_is_optional = false;  ///< CreateOptions::rootless: there may be none of its own
  /// Root only inside: what takes privileges waits until init has them. See open_rootfs.
  bool unprivileged = false;
  bool new_user_namespace = false;  ///< devices are bound, not made
  int joined_user = -1;             ///< the user namespace, if it is one of others
  /// Else the root is mounted at its own path, in a namespace of others, and stays there until the
  /// container is deleted.
  bool new_mount_namespace = true;
};

/// The parts that need the parent's privileges or its view of the host: the root as a detached mount
/// (unless it is there already) and, with a user namespace or id-mapped mounts, the bind sources.
base::Result<> open_rootfs(RootfsPlan& plan);

/// All mounts, devices, masks. In the child, in its new mount namespace.
base::Result<> build_rootfs(RootfsPlan& plan);
/// What must come last: the read-only root.
base::Result<> seal_rootfs(const RootfsPlan& plan);
/// Takes the root away that was mounted in a namespace of others: the runtime's own, or the one that the
/// file `mount_namespace` stands for. Nothing there is no error.
base::Result<> unmount_foreign_root(const std::string& path, const std::string& mount_namespace);
/// Changes root and applies rootfsPropagation.
base::Result<> enter_rootfs(const RootfsPlan& plan, bool no_pivot);

/// One bind source as a detached tree with all its attributes.
base::Result<sys::UniqueFd> open_bind_source(const spec::oci::Mount& mount, const RootfsPlan& plan);
/// Mounts of type "cgroup" and "cgroup2".
base::Result<> mount_cgroups(const RootfsPlan& plan, const spec::oci::Mount& mount);
/// Default and configured device nodes, the usual symlinks.
base::Result<> make_devices(const RootfsPlan& plan);
/// What is mounted on /proc and on /sys. Invalid: nothing of the configuration.
struct KernelMounts {
  sys::UniqueFd proc;
  sys::UniqueFd sys;
};
/// maskedPaths and readonlyPaths.
base::Result<> hide_paths(const RootfsPlan& plan, const KernelMounts& kernel);
/// Binds the terminal `slave` on /dev/console.
base::Result<> mount_console(const RootfsPlan& plan, int slave);
/// The contents of directory `from` into directory `to`, with owners, modes, links and nodes.
base::Result<> copy_tree(int from, int to);

/// The directory `path` in the root, made if missing; with `as_file` a file.
base::Result<sys::UniqueFd> target_in_root(int root, const std::string& path, bool as_file);

}  // namespace runtime::detail
