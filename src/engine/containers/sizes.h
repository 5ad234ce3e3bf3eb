#pragma once
/// Disk space of a container: its own layer, and with the image's.

#include "engine/containers/core.h"

namespace engine {

struct Sizes {
  std::int64_t writable = 0, root = 0;  ///< bytes
};
base::Result<Sizes> sizes_of(Core& core, const Record& record);

/// Mounts as inspect and ps show them.
[[nodiscard]] std::vector<spec::api::MountPoint> mount_points(Core& core, const Record& record);

}  // namespace engine
