#include "shim/detail/rootfs.h"

#include "sys/file.h"
#include "sys/mount.h"
#include "sys/overlay.h"

namespace shim::detail {

using base::Result;

Result<sys::UniqueFd> make_root(const Overlay& overlay) {
  return sys::make_overlay({overlay.lowers, overlay.upper, overlay.work, overlay.options})
      .context("make the root file system");
}

Result<> mount_root(const Overlay& overlay, const std::string& target) {
  TRY(sys::make_dirs(sys::kCwd, target, 0700));
  const sys::UniqueFd mount = TRY(make_root(overlay));
  const sys::UniqueFd place = TRY(sys::open_at(sys::kCwd, target, O_PATH | O_DIRECTORY));
  return sys::attach_mount(mount.get(), place.get());
}

Result<> unmount_root(const std::string& target) {
  auto unmounted = sys::unmount(target, MNT_DETACH | UMOUNT_NOFOLLOW);
  if (!unmounted && (unmounted.error().errno_value() == EINVAL || unmounted.error().errno_value() == ENOENT)) return {};
  return unmounted;
}

}  // namespace shim::detail
