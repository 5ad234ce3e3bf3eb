#include "engine/containers/launch.h"
#include "sys/file.h"
#include "sys/mount.h"

namespace engine {

base::Result<sys::UniqueFd> merged_view(const snapshot::Mounts& mounts) {
  if (!mounts.is_overlay()) return sys::open_dir(sys::kCwd, mounts.upper);
  // Without an upper directory, so that this can't change anything, nor needs the work directory.
  sys::NewMount mount{.type = "overlay", .source = "overlay", .attributes = MOUNT_ATTR_RDONLY};
  mount.parameters.push_back({.key = "lowerdir+", .value = mounts.upper});
  for (const std::string& lower : mounts.lowers) mount.parameters.push_back({.key = "lowerdir+", .value = lower});
  return sys::make_mount(mount);
}

}  // namespace engine
