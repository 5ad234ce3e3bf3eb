#pragma once
/// The folders of a snapshotter and their rows: numbering, staging, removal, recovery. What the
/// folders of one number hold is the snapshotter's business, but for `fs`, the tree itself.
///
///   <root>/<number>/fs     the tree of a layer, or the writable part of a snapshot
///   <root>/<number>/work   overlay's own, for writable snapshots
///   <root>/trash/<number>  on its way out

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "snapshot/snapshotter.h"
#include "state/database.h"
#include "sys/fd.h"

namespace snapshot {

struct RowOfSnapshot {
  Info info;
  std::uint64_t number = 0;
};

class DirectoryTree {
 public:
  /// `snapshotter` is what the rows are marked with. Collects what a crash left.
  static base::Result<std::unique_ptr<DirectoryTree>> open(const std::string& root, std::string snapshotter,
                                                           state::Database& database);
  ~DirectoryTree();
  DirectoryTree(const DirectoryTree&) = delete;
  DirectoryTree& operator=(const DirectoryTree&) = delete;

  [[nodiscard]] const std::string& root() const { return root_; }
  [[nodiscard]] int root_fd() const { return root_fd_.get(); }
  [[nodiscard]] std::string fs_of(std::uint64_t number) const;
  [[nodiscard]] std::string work_of(std::uint64_t number) const;

  /// A fresh number with an empty `fs`. It belongs to nobody until a row names it.
  base::Result<std::uint64_t> make_folder();
  base::Result<Staging> stage();
  [[nodiscard]] static std::uint64_t number_of(const Staging& staging) { return staging.number_; }
  /// The staging's folder is a snapshot now: it no longer removes it.
  static void release(Staging& staging);

  /// Moves a folder that no row names to the trash. Never fails: the next start finds what is left.
  void discard(std::uint64_t number);
  void wait_for_trash();

  // Rows. Those of layers survive the loss of power, those of writable snapshots a killed process.
  /// All or none; a layer that is there already is skipped and told in `skipped`.
  base::Result<> insert_layers(const std::vector<RowOfSnapshot>& rows, std::vector<std::uint64_t>& skipped);
  /// Errors: Conflict (the key is in use), NotFound (the parent).
  base::Result<> insert_writable(const RowOfSnapshot& row);
  /// Turns a writable row into a layer; false if that layer is there already (the row is gone then).
  base::Result<bool> promote(const std::string& key, const std::string& chain_id);
  /// The number that was freed; nullopt if there was no such row. Errors: Conflict (has children).
  base::Result<std::optional<std::uint64_t>> erase(const std::string& key);
  /// The snapshot and all layers below it, itself first. Errors: NotFound.
  base::Result<std::vector<RowOfSnapshot>> chain(const std::string& key);
  base::Result<std::optional<RowOfSnapshot>> find(const std::string& key);
  /// A row, and its folder.
  base::Result<bool> has(const std::string& key);
  base::Result<std::vector<RowOfSnapshot>> all();
  /// Of a layer, remembered in its row.
  base::Result<Usage> usage(const RowOfSnapshot& row);

  // Accounts (directory_check.cc): as Snapshotter has them.
  base::Result<std::vector<Damage>> check();
  base::Result<> repair(const Damage& damage);
  base::Result<Space> space();

 private:
  friend class Staging;
  DirectoryTree(std::string root, std::string snapshotter, state::Database& database, sys::UniqueFd root_fd);
  base::Result<> recover();
  base::Result<std::vector<std::uint64_t>> numbers_of_others();
  base::Result<std::optional<Usage>> remembered_usage(const RowOfSnapshot& row);
  base::Result<> remember_usage(const RowOfSnapshot& row, const Usage& usage);
  [[nodiscard]] std::string folder_of(std::uint64_t number) const;
  base::Result<bool> folder_exists(std::uint64_t number) const;
  base::Result<std::set<std::uint64_t>> folders() const;
  /// Numbers that make_folder gave out and no row names yet.
  std::set<std::uint64_t> unnamed() const;
  void name_number(std::uint64_t number);
  void empty_trash();

  std::string root_, snapshotter_;
  state::Database& database_;
  sys::UniqueFd root_fd_;
  std::atomic<std::uint64_t> next_number_{1};

  mutable std::mutex unnamed_mutex_;
  std::set<std::uint64_t> unnamed_;  ///< guarded by unnamed_mutex_

  std::mutex trash_mutex_;
  std::condition_variable trash_changed_;
  std::deque<std::string> trash_;  ///< guarded by trash_mutex_, as the two below
  bool removing_ = false;
  bool stopping_ = false;
  std::thread remover_;
};

}  // namespace snapshot
