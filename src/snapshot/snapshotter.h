#pragma once
/// Root file systems of containers: read-only layers and one writable top.
///
/// The life of a layer. `stage()` gives an empty folder that belongs to nobody yet. The caller fills
/// it with what one layer of an image changes (layer/apply.h), in the form that overlayfs keeps on
/// disk: a removed file is a character device 0/0, a directory that hides the lower ones has the
/// xattr trusted.overlay.opaque=y. Layers of an image don't need each other for this, so all are
/// filled at the same time. `commit` then makes them durable with one sync for all and names each by
/// its chain id; from there on a layer never changes, and a second commit of the same chain id is
/// harmless. A Staging that is dropped is removed.
///
/// The life of a writable snapshot. `prepare(key, top)` makes one on the layer `top` (or on nothing),
/// under a key of the caller's choice, usually the container's id. `mounts(key)` says how to mount it;
/// that never mounts anything here, since the mount belongs into the container's namespace. It may be
/// mounted by one container at a time. `remove(key)` ends it, or `promote` turns it into a layer
/// without copying (build, commit).
///
/// Keys: one name space for both kinds. A layer with children can't be removed (Conflict).
///
/// Crash safety: data first, then the row in the table `snapshots`. A folder without a row is garbage
/// and is collected by the next `open`. A row without a folder is damage from outside: a layer's stays,
/// `has` says no, and the next `commit` of its chain id gives it a folder again, so that what stands on it
/// is not lost; a writable one is dropped with a warning.
/// Removing is a rename into `trash/`, the files go in a background thread.
///
/// Threads: any. No lock is held while files are copied, synced or removed.
/// Implementations: overlay (default), native (plain copies, reflinks where the file system has
/// them). `snapshot/conformance_test.cc` is their contract.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "state/database.h"
#include "sys/fd.h"

namespace snapshot {

/// How to get the file system of a snapshot.
///  * `lowers` not empty: an overlay mount. Lowers are absolute folders, the topmost first; `upper`
///    and `work` are empty for a read-only view; `options` are overlay mount options such as
///    "index=off". sys::make_overlay makes a detached mount of exactly these.
///  * `lowers` empty: a bind mount of the folder `upper`, or of `bind_source` read-only.
struct Mounts {
  std::vector<std::string> lowers;
  std::string upper;
  std::string work;
  std::string bind_source;
  std::vector<std::string> options;

  [[nodiscard]] bool is_overlay() const { return !lowers.empty(); }
};

enum class Kind : std::uint8_t { Layer, Writable };

struct Info {
  std::string key;
  Kind kind = Kind::Layer;
  std::string parent;  ///< chain id of the layer below, "" for none
  base::Time created;
};

/// Disk space of one snapshot without its parents. Hard links count once.
struct Usage {
  std::uint64_t bytes = 0;  ///< allocated, st_blocks × 512
  std::uint64_t inodes = 0;
};

/// Where the rows and the folders disagree.
struct Damage {
  enum class Kind : std::uint8_t {
    FolderMissing,  ///< a row whose folder is gone
    FolderUnknown,  ///< a folder that no row names and nobody fills
    WrongUsage,     ///< the row remembers another size than the folder has
  };
  Kind kind = Kind::FolderMissing;
  std::uint64_t number = 0;  ///< the folder's name
  Info info;                 ///< of the row; empty for FolderUnknown
  Usage recorded, found;     ///< for WrongUsage; `found` also for FolderUnknown
};

/// Bytes on the disk below the snapshotter's root, by what they are for.
struct Space {
  std::uint64_t layers = 0;
  std::uint64_t writable = 0;
  std::uint64_t unnamed = 0;   ///< being filled, or another driver's
  std::uint64_t removing = 0;  ///< on its way out in the background
};

class DirectoryTree;

/// An empty folder to fill. Owned by one thread at a time.
class Staging {
 public:
  Staging(Staging&&) noexcept;
  Staging& operator=(Staging&&) noexcept;
  ~Staging();

  /// The root of the new layer: 0755, root:root.
  [[nodiscard]] int dir() const { return dir_.get(); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  friend class DirectoryTree;
  Staging(DirectoryTree& tree, std::uint64_t number, std::string path, sys::UniqueFd dir);
  DirectoryTree* tree_;
  std::uint64_t number_;
  std::string path_;
  sys::UniqueFd dir_;
};

/// One layer of a `commit`.
struct NewLayer {
  Staging staging;
  std::string chain_id;
  std::string parent;  ///< chain id of the layer below, "" for the lowest; may stand in the same commit
  /// False when the layer says nothing about its root directory: it takes the parent's mode, owner
  /// and times then. layer::Applied tells.
  bool describes_root = false;
};

class Snapshotter {
 public:
  virtual ~Snapshotter() = default;
  Snapshotter(const Snapshotter&) = delete;
  Snapshotter& operator=(const Snapshotter&) = delete;

  /// "overlay" or "native": what `docker info` shows.
  [[nodiscard]] virtual std::string_view name() const = 0;

  virtual base::Result<Staging> stage() = 0;
  /// Makes all of them durable (one syncfs) and visible, in one transaction: all or none.
  /// Errors: NotFound (a parent).
  virtual base::Result<> commit(std::vector<NewLayer> layers) = 0;

  /// Errors: Conflict (the key is in use), NotFound (the layer `parent`).
  virtual base::Result<> prepare(const std::string& key, const std::string& parent) = 0;
  /// Turns the writable snapshot `key`, which must not be mounted, into the layer `chain_id`.
  /// Where that layer exists already the snapshot is just removed.
  virtual base::Result<> promote(const std::string& key, const std::string& chain_id) = 0;

  /// A layer is given read-only with all layers below it, a writable snapshot writable.
  /// Errors: NotFound.
  virtual base::Result<Mounts> mounts(const std::string& key) = 0;
  /// The folder with only what this snapshot changed against its parent, in overlay's form; for
  /// layer::write_diff. Errors: NotFound; NotImplemented where the snapshotter keeps whole trees
  /// (then compare the mounts of the snapshot and of its parent).
  virtual base::Result<std::string> changes(const std::string& key) = 0;
  /// True where `changes` works.
  [[nodiscard]] virtual bool keeps_changes() const = 0;

  /// Nothing there is success. Errors: Conflict (has children).
  virtual base::Result<> remove(const std::string& key) = 0;
  virtual base::Result<Info> info(const std::string& key) = 0;
  /// With its folder.
  virtual base::Result<bool> has(const std::string& key) = 0;
  virtual base::Result<Usage> usage(const std::string& key) = 0;
  virtual base::Result<std::vector<Info>> list() = 0;
  /// Measures everything; what others make or remove meanwhile is no damage.
  virtual base::Result<std::vector<Damage>> check() = 0;
  /// Moves an unknown folder to the trash, corrects a wrong size, drops a writable row without a folder. A
  /// layer's missing folder comes back by another `commit` of it: Conflict.
  virtual base::Result<> repair(const Damage& damage) = 0;
  virtual base::Result<Space> space() = 0;
  /// Waits until everything removed so far is gone from the disk (system df, tests).
  virtual void wait_for_trash() = 0;

 protected:
  Snapshotter() = default;
};

/// `root` is the folder `snapshots` under the data root (made if missing). `database` must outlive
/// the snapshotter. Errors: NotImplemented (`root`'s file system or the kernel can't carry an
/// overlay; the message says which and names `native`).
base::Result<std::unique_ptr<Snapshotter>> open_overlay(const std::string& root, state::Database& database);
base::Result<std::unique_ptr<Snapshotter>> open_native(const std::string& root, state::Database& database);
/// By name: "overlay" or "overlay2" (docker's name for it), "native" or "vfs" (docker's); "" for
/// overlay where it works, else native. Errors: InvalidArgument.
base::Result<std::unique_ptr<Snapshotter>> open(std::string_view name, const std::string& root,
                                                state::Database& database);

/// The tree of `mounts` as a directory descriptor, mounted nowhere: for export, copies and diffs. Don't
/// use it on a writable snapshot that a container has mounted: two overlays must not share an upper.
/// Then take the container's own root.
base::Result<sys::UniqueFd> open_tree(const Mounts& mounts);

}  // namespace snapshot
