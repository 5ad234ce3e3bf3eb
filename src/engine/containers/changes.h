#pragma once
/// What a container changed against its image, as `diff` and `commit` see it.

#include <string>
#include <vector>

#include "base/result.h"
#include "engine/containers/core.h"
#include "layer/diff.h"

namespace engine {

struct Changes {
  std::vector<layer::Change> all;
  layer::Paths mount_places;  ///< what was left out: "/etc/hosts", "/dev/pts", …
};
/// Sorted by path. Without the places that were only made to mount on: to docker they are part of what lies below
/// the container. Errors: those of the snapshotter.
base::Result<Changes> changes_of(Core& core, const Record& record);

}  // namespace engine
