#pragma once
/// Copies of trees, for what is filled from an image: a new volume.

#include "base/result.h"

namespace snapshot {

/// Everything below the folder `from` into the folder `to`, which is empty: content (shared blocks where
/// the file system can), types, owners, modes, times, xattrs, hard links, holes; the folders' own
/// attributes too. Sockets are left out. Symlinks are copied, never followed.
base::Result<> copy_tree(int from, int to);

}  // namespace snapshot
