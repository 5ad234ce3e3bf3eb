#include "shim/detail/rootfs.h"

#include "base/strings.h"
#include "sys/file.h"
#include "sys/mount.h"

namespace shim::detail {

using base::Result;

Result<sys::UniqueFd> make_root(const Overlay& overlay) {
  sys::NewMount mount{.type = "overlay", .source = "overlay"};
  for (const auto& lower : overlay.lowers) mount.parameters.push_back({"lowerdir+", lower});
  if (!overlay.upper.empty()) {
    mount.parameters.push_back({"upperdir", overlay.upper});
    mount.parameters.push_back({"workdir", overlay.work});
  }
  for (const auto& option : overlay.options) {
    if (const auto parts = base::cut(option, "=")) {
      mount.parameters.push_back({std::string{parts->first}, std::string{parts->second}});
    } else {
      mount.parameters.push_back({option, "", true});
    }
  }
  return sys::make_mount(mount).context("make the root file system");
}

Result<> mount_root(const Overlay& overlay, const std::string& target) {
  const sys::UniqueFd mount = TRY(make_root(overlay));
  TRY(sys::make_dirs(sys::kCwd, target, 0700));
  const sys::UniqueFd place = TRY(sys::open_at(sys::kCwd, target, O_PATH | O_DIRECTORY));
  return sys::attach_mount(mount.get(), place.get());
}

Result<> unmount_root(const std::string& target) {
  auto unmounted = sys::unmount(target, MNT_DETACH | UMOUNT_NOFOLLOW);
  if (!unmounted && (unmounted.error().errno_value() == EINVAL || unmounted.error().errno_value() == ENOENT)) return {};
  return unmounted;
}

}  // namespace shim::detail
