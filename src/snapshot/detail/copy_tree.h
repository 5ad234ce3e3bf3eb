#pragma once
/// Copies of trees for the native snapshotter: content (shared blocks where the file system can), types,
/// owners, modes, times, xattrs, hard links, holes.

#include "base/result.h"

namespace snapshot::detail {

/// Everything below the folder `from` into the folder `to`, which is empty; the folders' own attributes
/// too. Sockets are left out.
base::Result<> copy_tree(int from, int to);

/// Puts a layer in overlay's form on top of the tree `to`: whiteouts remove, opaque folders hide what
/// was there, everything else replaces. The root's own attributes are left alone.
base::Result<> merge_layer(int from, int to);

}  // namespace snapshot::detail
