#include "runtime/detail/bind_flags.h"

#include <cerrno>

#include <sys/mount.h>

#include "sys/mount.h"

namespace runtime::detail {

using base::Error;
using base::ErrorKind;
using base::Result;

namespace {

constexpr std::uint64_t kLockable =
    MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
constexpr std::uint64_t kFlags = kLockable | MOUNT_ATTR_NOSYMFOLLOW;
constexpr std::uint64_t kAccessTimes = MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME;

sys::MountChange named_flags(const MountOptions& options) {
  sys::MountChange out;
  out.set = options.change.set & kFlags;
  out.clear = kFlags & ~out.set;
  const std::uint64_t directories = options.change.set & MOUNT_ATTR_NODIRATIME;
  if (!options.access_time && directories == 0) return out;
  out.set |= options.access_time.value_or(MOUNT_ATTR_RELATIME) | directories;
  out.clear |= MOUNT_ATTR__ATIME | (MOUNT_ATTR_NODIRATIME & ~directories);
  return out;
}

Result<sys::MountChange> with_locked_flags(int tree, const MountOptions& options) {
  sys::MountChange out = named_flags(options);
  const std::uint64_t present = TRY(sys::mount_attributes(tree));
  if ((present & options.change.clear & kLockable) != 0) {
    return Error{ErrorKind::PermissionDenied, EPERM,
                 "a flag of the source can't be cleared for a user namespace: operation not permitted"};
  }
  if ((out.clear & kAccessTimes) != 0 && (out.set & kAccessTimes) != (present & kAccessTimes)) {
    return Error{
        ErrorKind::PermissionDenied, EPERM,
        "how the source keeps access times can't be changed for a user namespace: operation not permitted"};
  }
  out.clear &= ~(present & kLockable);
  return out;
}

Result<> apply(int tree, const sys::MountChange& flags, const MountOptions& options) {
  sys::MountChange own = flags;
  sys::MountChange all = options.recursive_change;
  (options.propagation_recursive ? all : own).propagation = options.propagation;
  if (own.set != 0 || own.clear != 0 || own.propagation != 0) TRY(sys::change_mount(tree, own, false));
  if (all.set != 0 || all.clear != 0 || all.propagation != 0) TRY(sys::change_mount(tree, all, true));
  return {};
}

}  // namespace

Result<> apply_bind_options(int tree, const MountOptions& options, bool for_user_namespace) {
  if (!options.names_flags) return apply(tree, {}, options);
  if (!for_user_namespace) {
    auto applied = apply(tree, named_flags(options), options);
    // A source that is locked already: by a user namespace that we are in.
    if (!applied.failed_as(ErrorKind::PermissionDenied)) return applied;
  }
  return apply(tree, TRY(with_locked_flags(tree, options)), options);
}

}  // namespace runtime::detail
