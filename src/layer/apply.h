#pragma once
/// Unpacks a tar stream into a folder that nothing else uses yet.
///
/// `apply` is for layers of images: gzip, zstd or plain (found by their magic), whiteouts turned into
/// overlay's form (see snapshot/snapshotter.h). `extract` is for archives that are put into a
/// container (docker cp, ADD): whiteout names are ordinary names there.
///
/// The archive is hostile until shown otherwise:
///  * Each path is resolved by the kernel below the root's descriptor (openat2(2), RESOLVE_IN_ROOT):
///    a symlink of the archive can lead elsewhere inside, never outside. Absolute names are taken
///    from the root; names that climb out of it with `..` are refused, as are hard links to outside.
///  * A file never opens something that is there: it is removed and created new (O_EXCL). A directory
///    keeps a directory that is there.
///  * `user.*` and `security.capability` xattrs are set, those with a meaning for the host or for
///    overlayfs (trusted.*, user.overlay.*) are refused, others are left out.
///  * Limits on entries, bytes, expansion and path length stop bombs.
///
/// Kept: content (holes of sparse files too), type, mode with setuid, owner, mtime in nanoseconds
/// (directories too), xattrs, hard links, devices, fifos. Nothing is fsynced: the owner of the folder
/// does that once (Snapshotter::commit).
///
/// Errors name the entry: InvalidArgument (malformed, refused or over a limit), Internal with the
/// errno (ENOSPC, …), and those of `blob`. The folder holds a part of the tree then; its owner
/// removes it.
///
/// Threads: each call uses one more thread for reading and decompressing; calls on different folders
/// run side by side.
/// Source: OCI image specification 1.1, layer.md.

#include <cstdint>

#include "base/byte_stream.h"
#include "base/digest.h"
#include "base/result.h"
#include "tree/placer.h"

namespace layer {

class RecipeRecorder;

/// 0: no limit.
struct Limits {
  std::uint64_t tar_bytes = std::uint64_t{1} << 40U;  ///< of the uncompressed archive
  std::uint64_t entries = 50'000'000;
  /// Uncompressed bytes for each compressed one, looked at from the first GiB on. gzip itself ends
  /// at 1032; a real layer is below 100.
  std::uint64_t ratio = 1500;
  std::uint64_t path_bytes = 4095;  ///< PATH_MAX without its NUL
};

struct Applied {
  base::Digest diff_id;             ///< of the uncompressed archive
  std::uint64_t blob_bytes = 0;     ///< read from `blob`
  std::uint64_t tar_bytes = 0;      ///< uncompressed
  std::uint64_t content_bytes = 0;  ///< of all files: what docker calls the layer's size
  std::uint64_t entries = 0;
  bool describes_root = false;  ///< has an entry for "./": goes into snapshot::NewLayer
};

/// Reads `blob` to its end, so that a caller who hashes it has seen all of it. `root` is a directory
/// descriptor; it stays the caller's. `recorder` (layer/recipe.h) may be null; `finish` it afterwards.
base::Result<Applied> apply(base::ByteSource& blob, int root, const Limits& limits = {},
                            RecipeRecorder* recorder = nullptr);

struct ExtractOptions {
  Limits limits;  ///< its path_bytes counts
  tree::PlaceOptions place{.describe_root = false};
};
/// `archive` may be compressed as well. `diff_id` of the result is empty.
base::Result<Applied> extract(base::ByteSource& archive, int root, const ExtractOptions& options = {});

}  // namespace layer
