#pragma once
/// What differs between a tree and the one that it was made from.

#include <vector>

#include "base/result.h"
#include "layer/diff.h"

namespace layer::detail {

/// Two whole trees (native snapshots). Files are equal when type, mode, owner, size, mtime, device,
/// link target and capabilities are: contents are not read. `old_root` may be -1: everything is new.
base::Result<std::vector<Change>> compare_trees(int old_root, int new_root);

/// A folder in overlay's form against the merged tree below it.
base::Result<std::vector<Change>> changes_of_upper(int below, int upper);

}  // namespace layer::detail
