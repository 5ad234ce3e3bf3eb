#pragma once

#include <string>

#include "base/result.h"
#include "snapshot/snapshotter.h"

namespace snapshot::detail {

/// What a tree takes on the disk; hard links count once, mounts inside are not entered.
base::Result<Usage> usage_of_tree(const std::string& path);

}  // namespace snapshot::detail
