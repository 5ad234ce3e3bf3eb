#pragma once
/// What a volume with the options type, device and o is: a file system or a folder of the host, mounted over
/// the volume's directory. Option words: mount(8), docker's documentation of the local driver.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "sys/mount.h"

namespace volume {

struct MountPlan {
  std::string type, device;
  bool bind = false, recursive = false;  ///< a folder of the host instead of a file system
  bool read_only = false;
  std::uint64_t set = 0, clear = 0;  ///< MOUNT_ATTR_*
  std::vector<sys::MountParameter> parameters;
};

/// From the volume's options. Pure.
[[nodiscard]] MountPlan plan_mount(const std::map<std::string, std::string>& options);

/// Puts it there, over whatever is there. Errors: Internal "failed to mount local volume: mount …".
base::Result<> mount_on(const MountPlan& plan, const std::string& target);

}  // namespace volume
