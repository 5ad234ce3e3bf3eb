#pragma once
/// Volumes: named directories that outlive containers. The driver is `local`: a directory below
/// <data-root>/volumes, or a mount of the options type, device and o, made while a container uses it.
///
///   volumes/<name>/_data     what the containers see
///
/// A volume exists when its row does. The directory is made before the row commits and removed after
/// the row has gone, so a crash leaves at worst a directory without a row, which `open` collects, and
/// never a row without a directory. Rows are durable against power loss.
///
/// Threads: any. Errors in docker's words: NotFound "get x: no such volume", Conflict, InvalidArgument.

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "state/database.h"

namespace volume {

inline constexpr const char* kAnonymousLabel = "com.docker.volume.anonymous";

struct Volume {
  std::string name;
  std::string driver = "local";
  std::map<std::string, std::string> options;  ///< "type", "device", "o"
  std::map<std::string, std::string> labels;
  base::Time created{};
  std::string mountpoint;  ///< absolute: …/_data

  /// Made without a name, for instance for a container that named none.
  [[nodiscard]] bool anonymous() const { return labels.contains(kAnonymousLabel); }
  /// Has options of its own to be mounted with, instead of being a plain directory.
  [[nodiscard]] bool needs_mount() const { return options.contains("device"); }
};

struct Request {
  std::string name;    ///< "" : 64 random hex digits, and a label that says so
  std::string driver;  ///< "" or "local"
  std::map<std::string, std::string> options, labels;
};

/// `name` as a local volume may be called. Errors: InvalidArgument.
base::Result<> check_name(std::string_view name);

class Store {
 public:
  /// `root` is made if missing (0701, so that a process in a container can traverse it).
  static base::Result<std::unique_ptr<Store>> open(const std::string& root, state::Database& database);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  struct Created {
    Volume volume;
    bool is_new = false;
  };
  /// Gives what is there when there is one of that name. Errors: InvalidArgument (name, option),
  /// NotFound (driver), Conflict (another driver or other options).
  base::Result<Created> create(const Request& request);
  [[nodiscard]] base::Result<Volume> get(const std::string& name) const;
  /// Sorted by name.
  [[nodiscard]] std::vector<Volume> list() const;
  /// What is mounted for it is unmounted first. Errors: NotFound, Internal.
  base::Result<> remove(const std::string& name);

  /// For a volume that needs a mount: it is there from the first user's `acquire` to the last one's `release`.
  /// For others neither does anything. A user is named by its container's id; naming it twice counts once.
  /// Errors: NotFound, Internal "failed to mount local volume: …".
  base::Result<> acquire(const std::string& name, const std::string& user);
  base::Result<> release(const std::string& name, const std::string& user);
  /// Mounts that a daemon of before left and nobody has acquired since. What fails is logged.
  void release_unused();
  /// True when nobody has put anything into it yet.
  base::Result<bool> is_empty(const Volume& volume) const;
  /// Bytes on the disk, for `system df` and prune reports.
  base::Result<std::uint64_t> usage(const Volume& volume) const;

 private:
  Store(std::string root, state::Database& database);
  base::Result<> load();
  base::Result<> collect_leftovers();
  [[nodiscard]] std::string directory_of(const std::string& name) const { return root_ + "/" + name; }

  /// Of a volume that needs a mount. `mutex` is held across the mount: a server that does not answer
  /// delays those who want this volume.
  struct Uses {
    std::mutex mutex;
    std::set<std::string> users;  ///< guarded by mutex
  };
  /// Errors: NotFound. nullptr: needs no mount.
  base::Result<std::shared_ptr<Uses>> uses_of(const std::string& name);

  std::string root_;
  state::Database& database_;
  mutable std::mutex mutex_;
  std::map<std::string, Volume> volumes_;  ///< guarded by mutex_; what the rows say
  std::map<std::string, std::shared_ptr<Uses>> uses_;  ///< guarded by mutex_
};

}  // namespace volume
