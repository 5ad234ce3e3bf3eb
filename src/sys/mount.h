#pragma once
/// Mounts by descriptor: file systems and trees are made detached, given their attributes, and put in
/// place last, so that no half-configured mount is ever reachable and no path is resolved twice.
/// Sources: fsopen(2), fsmount(2), open_tree(2), move_mount(2), mount_setattr(2), pivot_root(2).
/// Linux 5.12 has all of it. Before, a process with a mount namespace of its own can call
/// `stage_mounts` and use the same functions, by mount(2) (detail/staged_mount.h); for others
/// NotImplemented names what is missing.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sys/mount.h>

#include "base/result.h"
#include "sys/fd.h"

namespace sys {

/// One parameter of a file system: "size=64k", or a flag when `value` is empty and `flag` is set.
struct MountParameter {
  std::string key;
  std::string value;
  bool flag = false;
};

struct NewMount {
  std::string type;    ///< "tmpfs"
  std::string source;  ///< what mountinfo shows
  std::vector<MountParameter> parameters;
  /// MOUNT_ATTR_*, of this mount.
  std::uint64_t attributes = 0;
  /// The file system itself is read-only, not only this mount of it.
  bool read_only_superblock = false;
};

/// Whether this kernel has the calls. Asks it once.
[[nodiscard]] bool has_mount_api();
/// From now on the calling process does without them. It must have a mount namespace of its own, whose
/// mounts reach nobody, and be about to leave its root by `pivot_to` or `move_to_root`.
base::Result<> stage_mounts();

/// A new file system, mounted nowhere. Errors carry the file system's own reason when it gave one.
base::Result<UniqueFd> make_mount(const NewMount& mount);

/// A detached copy of what is mounted at `path` below `dir` (the descriptor itself when `path` is
/// empty), with all mounts below it when `recursive`.
base::Result<UniqueFd> clone_mount(int dir, const std::string& path, bool recursive);

struct MountChange {
  std::uint64_t set = 0;          ///< MOUNT_ATTR_*
  std::uint64_t clear = 0;        ///< MOUNT_ATTR_*; MOUNT_ATTR__ATIME before another atime mode is set
  std::uint64_t propagation = 0;  ///< MS_PRIVATE, MS_SLAVE, MS_SHARED, MS_UNBINDABLE or 0
  int user_namespace = -1;        ///< with MOUNT_ATTR_IDMAP
};
base::Result<> change_mount(int mount, const MountChange& change, bool recursive);
/// The same for what is mounted at `path`.
base::Result<> change_mount_at(const std::string& path, const MountChange& change, bool recursive);

/// Puts a detached mount on `target`, an O_PATH descriptor of a directory (or a file, for a file).
base::Result<> attach_mount(int mount, int target);

/// Exchanges the root of this mount namespace for the directory `new_root`, lets go of the old one and
/// of everything mounted there, and leaves the process in "/".
base::Result<> pivot_to(int new_root);
/// Unmounts every file system of these types ("proc") that can be reached from the caller's root, or covers
/// it where it may not be unmounted. Not those at or below the mount `except`.
base::Result<> hide_file_systems(std::span<const std::string_view> types, int except);
/// The same where pivot_root is impossible (initramfs): moves the mount over "/" and changes root.
/// Weaker: the old root stays mounted below.
base::Result<> move_to_root(int new_root);

/// Only the calling process's root becomes `new_root` (chroot(2)); it is left in "/". No isolation from
/// who may chroot itself.
base::Result<> change_root(int new_root);

base::Result<> unmount(const std::string& path, int flags);

/// Whether something is mounted exactly there. Source: statx(2), STATX_ATTR_MOUNT_ROOT. Errors: NotFound.
base::Result<bool> is_mount_point(const std::string& path);

/// f_type of statfs(2): PROC_SUPER_MAGIC, …
base::Result<std::uint64_t> file_system_type(int fd);
base::Result<std::uint64_t> file_system_type_at(const std::string& path);
/// MOUNT_ATTR_* of the mount that `fd` is on, as statfs(2) tells them.
base::Result<std::uint64_t> mount_attributes(int fd);
/// Whether nothing can be written there: by the mount, or by the file system itself.
base::Result<bool> is_read_only(int fd);
/// Is this a procfs, and not one thing dressed up as another by a mount?
base::Result<> require_file_system(int fd, std::uint64_t type, std::string_view what);

}  // namespace sys
