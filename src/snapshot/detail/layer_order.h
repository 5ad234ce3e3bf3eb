#pragma once

#include <vector>

#include "base/result.h"
#include "snapshot/snapshotter.h"

namespace snapshot::detail {

/// Indexes of `layers` so that each stands behind its parent. Errors: InvalidArgument (a circle).
base::Result<std::vector<std::size_t>> parents_first(const std::vector<NewLayer>& layers);

}  // namespace snapshot::detail
