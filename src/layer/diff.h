#pragma once
/// Trees to tar: the other direction of layer/apply.h. The output is deterministic: entries sorted by
/// name within their directory, pax headers only where ustar's fields are too small, no names of
/// users or groups. Sockets are left out, as tar does.
///
/// A tree may change while it is read (a running container): a file that shrinks is padded with
/// zeros to the size that its header promised, one that vanishes is left out.
///
/// Threads: any; each call works on its own. Errors name the path.
/// Source: OCI image specification 1.1, layer.md ("Whiteouts").

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_stream.h"
#include "base/function_ref.h"
#include "base/result.h"
#include "snapshot/snapshotter.h"
#include "tree/writer.h"

namespace layer {

using tree::Written;

/// A folder in overlay's form (Snapshotter::changes) as an OCI layer: 0/0 devices become `.wh.<name>`,
/// opaque directories get `.wh..wh..opq`, overlay's own xattrs vanish.
base::Result<Written> write_changes(int changes_dir, base::ByteSink& tar);

/// Absolute paths, "/etc/hosts".
using Paths = std::set<std::string, std::less<>>;

/// What `key` changed against its parent, as an OCI layer, whatever the snapshotter keeps; without `leave_out` and
/// what is below them.
base::Result<Written> write_diff(snapshot::Snapshotter& snapshotter, const std::string& key,
                                 base::ByteSink& tar, const Paths& leave_out = {});

struct TreeOptions {
  /// Subtree or single file to write, resolved inside the root; "" for everything.
  std::string path;
  /// Name of that subtree in the archive (docker cp's rebase); "" for the root: entries "etc/", ….
  std::string name;
};
/// A whole tree as it is (docker export, docker cp, squashing), without whiteouts. `root` is a
/// directory descriptor, for example of a detached mount of the snapshot.
base::Result<Written> write_tree(int root, base::ByteSink& tar, const TreeOptions& options = {});

/// `docker diff`.
enum class ChangeKind : std::uint8_t { Modified = 0, Added = 1, Deleted = 2 };  // the Engine API's numbers
struct Change {
  std::string path;  ///< absolute, "/etc/hostname"
  ChangeKind kind;
};
/// Sorted by path. Parents of a change are listed as Modified, as docker does.
base::Result<std::vector<Change>> list_changes(snapshot::Snapshotter& snapshotter, const std::string& key);

}  // namespace layer
