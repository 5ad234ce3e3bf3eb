#pragma once

#include "base/result.h"

namespace snapshot::detail {

/// Owner, mode, times and xattrs of one folder for another; overlay's own xattrs stay where they are.
base::Result<> copy_root_attributes(int from, int to);

}  // namespace snapshot::detail
