#include "snapshot/detail/directory_tree.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/log.h"
#include "base/strings.h"
#include "sys/crash_point.h"
#include "sys/file.h"
#include "snapshot/usage.h"

namespace snapshot {

using base::Result;
using state::Durability;

namespace {

constexpr const char* kTrash = "trash";

Result<RowOfSnapshot> read_row(const state::Row& row) {
  RowOfSnapshot out;
  out.info.key = row.text(0);
  out.number = row.size(1);
  out.info.kind = row.integer(2) == 0 ? Kind::Layer : Kind::Writable;
  out.info.parent = row.text(3);
  out.info.created = row.time(4);
  return out;
}

state::Value parent_value(const std::string& parent) {
  return parent.empty() ? state::Value{nullptr} : state::Value{parent};
}

base::Error no_parent(const std::string& key, const std::string& parent) {
  return base::not_found(fmt::format("snapshot {}: the layer {} below it is not there", key, parent));
}

}  // namespace

DirectoryTree::DirectoryTree(std::string root, std::string snapshotter, state::Database& database,
                             sys::UniqueFd root_fd)
    : root_{std::move(root)},
      snapshotter_{std::move(snapshotter)},
      database_{database},
      root_fd_{std::move(root_fd)} {}

Result<std::unique_ptr<DirectoryTree>> DirectoryTree::open(const std::string& root, std::string snapshotter,
                                                           state::Database& database) {
  TRY(sys::make_dirs(sys::kCwd, root, 0710));
  sys::UniqueFd fd = TRY(sys::open_dir(sys::kCwd, root));
  TRY(sys::make_dirs(fd.get(), kTrash, 0700));
  std::unique_ptr<DirectoryTree> tree{
      new DirectoryTree{root, std::move(snapshotter), database, std::move(fd)}};
  TRY(tree->recover().context("open the snapshots in " + root));
  tree->remover_ = std::thread{[raw = tree.get()] { raw->empty_trash(); }};
  return tree;
}

DirectoryTree::~DirectoryTree() {
  {
    const std::scoped_lock lock{trash_mutex_};
    stopping_ = true;
  }
  trash_changed_.notify_all();
  if (remover_.joinable()) remover_.join();
}

/// Folders without a row go; of rows without a folder only the writable ones: nothing brings those back.
Result<> DirectoryTree::recover() {
  std::set<std::uint64_t> unknown = TRY(folders());
  std::uint64_t highest = unknown.empty() ? 0 : *unknown.rbegin();
  // Another snapshotter's snapshots may stand in the same root: a changed storage driver loses nothing.
  for (const std::uint64_t number : TRY(numbers_of_others())) {
    highest = std::max(highest, number);
    unknown.erase(number);
  }
  for (const auto& row : TRY(all())) {
    highest = std::max(highest, row.number);
    if (unknown.erase(row.number) != 0) continue;
    if (row.info.kind == Kind::Layer) {
      base::log::warn("layer {}: its folder {} is missing; `caisson system fsck --repair` or a pull brings it back",
                      row.info.key, row.number);
      continue;
    }
    base::log::warn("snapshot {} is dropped: its folder {} is missing", row.info.key, row.number);
    TRY(erase(row.info.key));
  }
  next_number_ = highest + 1;
  for (const std::uint64_t number : unknown) {
    const std::string name = std::to_string(number);
    TRY(sys::rename_at(root_fd_.get(), name, root_fd_.get(), fmt::format("{}/{}", kTrash, name)));
  }
  for (const auto& entry : TRY(sys::list_dir(root_fd_.get(), kTrash))) {
    trash_.push_back(entry.name);
    if (const auto number = base::parse_uint(entry.name))
      next_number_ = std::max<std::uint64_t>(next_number_, *number + 1);
  }
  return {};
}

std::string DirectoryTree::folder_of(std::uint64_t number) const { return fmt::format("{}/{}", root_, number); }
std::string DirectoryTree::fs_of(std::uint64_t number) const {
  return fmt::format("{}/{}/fs", root_, number);
}
std::string DirectoryTree::work_of(std::uint64_t number) const {
  return fmt::format("{}/{}/work", root_, number);
}

Result<std::uint64_t> DirectoryTree::make_folder() {
  const std::uint64_t number = next_number_++;
  const std::string name = std::to_string(number);
  TRY(sys::inject("snapshot.make_folder"));
  {
    const std::scoped_lock lock{unnamed_mutex_};
    unnamed_.insert(number);
  }
  if (auto made = sys::make_dir(root_fd_.get(), name, 0700); !made) {
    name_number(number);
    return std::move(made).error().context("make a snapshot");
  }
  if (auto made = sys::make_dir(root_fd_.get(), name + "/fs", 0755); !made) {
    discard(number);
    return std::move(made).error().context("make a snapshot");
  }
  return number;
}

Result<Staging> DirectoryTree::stage() {
  const std::uint64_t number = TRY(make_folder());
  auto dir = sys::open_dir(root_fd_.get(), std::to_string(number) + "/fs");
  if (!dir) {
    discard(number);
    return base::Error{std::move(dir).error()};
  }
  return Staging{*this, number, fs_of(number), std::move(*dir)};
}

void DirectoryTree::release(Staging& staging) {
  staging.tree_ = nullptr;
  staging.dir_.reset();
}

void DirectoryTree::discard(std::uint64_t number) {
  const std::string name = std::to_string(number);
  const auto moved = sys::rename_at(root_fd_.get(), name, root_fd_.get(), fmt::format("{}/{}", kTrash, name));
  name_number(number);
  if (moved.failed_as(base::ErrorKind::NotFound)) return;  // `repair` was faster
  if (!moved) {
    base::log::warn("snapshot folder {} stays until the next start: {}", number, moved.error().message());
    return;
  }
  {
    const std::scoped_lock lock{trash_mutex_};
    trash_.push_back(name);
  }
  trash_changed_.notify_all();
}

void DirectoryTree::empty_trash() {
  std::unique_lock lock{trash_mutex_};
  while (true) {
    trash_changed_.wait(lock, [&] { return stopping_ || !trash_.empty(); });
    if (stopping_) return;
    const std::string name = std::move(trash_.front());
    trash_.pop_front();
    removing_ = true;
    lock.unlock();
    if (const auto removed = sys::remove_tree(root_fd_.get(), fmt::format("{}/{}", kTrash, name)); !removed) {
      base::log::warn("snapshot trash {} stays until the next start: {}", name, removed.error().message());
    }
    lock.lock();
    removing_ = false;
    trash_changed_.notify_all();
  }
}

void DirectoryTree::wait_for_trash() {
  std::unique_lock lock{trash_mutex_};
  trash_changed_.wait(lock, [&] { return stopping_ || (trash_.empty() && !removing_); });
}

Result<> DirectoryTree::insert_layers(const std::vector<RowOfSnapshot>& rows,
                                      std::vector<std::uint64_t>& skipped) {
  // A layer that is there without its folder takes this one.
  std::set<std::string> folderless;
  for (const auto& row : rows) {
    const auto known = TRY(find(row.info.key));
    if (known && !TRY(folder_exists(known->number))) folderless.insert(row.info.key);
  }
  const auto insert = [&](state::Transaction& transaction) -> Result<> {
    skipped.clear();
    for (const auto& row : rows) {
      const auto inserted = transaction.execute(
          "INSERT INTO snapshots (snapshotter, key, number, kind, parent, created) VALUES (?, ?, ?, 0, ?, ?) "
          "ON CONFLICT (snapshotter, key) DO NOTHING",
          {snapshotter_, row.info.key, row.number, parent_value(row.info.parent), row.info.created});
      if (inserted.failed_as(base::ErrorKind::Conflict)) return no_parent(row.info.key, row.info.parent);
      if (TRY(Result<std::int64_t>{inserted}) != 0) continue;
      if (folderless.contains(row.info.key)) {
        TRY(transaction.execute(
            "UPDATE snapshots SET number = ?, bytes = NULL, inodes = NULL WHERE snapshotter = ? AND key = ?",
            {row.number, snapshotter_, row.info.key}));
      } else {
        skipped.push_back(row.number);
      }
    }
    return {};
  };
  TRY(database_.transaction(Durability::PowerLoss, insert));
  for (const auto& row : rows) {
    if (std::ranges::find(skipped, row.number) == skipped.end()) name_number(row.number);
  }
  return {};
}

Result<> DirectoryTree::insert_writable(const RowOfSnapshot& row) {
  const auto insert = [&](state::Transaction& transaction) -> Result<> {
    const auto there = TRY(transaction.select_one("SELECT 1 FROM snapshots WHERE snapshotter = ? AND key = ?",
                                                  {snapshotter_, row.info.key},
                                                  [](const state::Row&) -> Result<> { return {}; }));
    if (there) return base::conflict("snapshot " + row.info.key + " exists already");
    const auto inserted = transaction.execute(
        "INSERT INTO snapshots (snapshotter, key, number, kind, parent, created) VALUES (?, ?, ?, 1, ?, ?)",
        {snapshotter_, row.info.key, row.number, parent_value(row.info.parent), row.info.created});
    if (inserted.failed_as(base::ErrorKind::Conflict)) return no_parent(row.info.key, row.info.parent);
    TRY(Result<std::int64_t>{inserted});
    return {};
  };
  TRY(database_.transaction(Durability::ProcessDeath, insert));
  name_number(row.number);
  return {};
}

Result<bool> DirectoryTree::promote(const std::string& key, const std::string& chain_id) {
  bool renamed = false;
  TRY(database_.transaction(Durability::PowerLoss, [&](state::Transaction& transaction) -> Result<> {
    const auto there = TRY(transaction.select_one("SELECT 1 FROM snapshots WHERE snapshotter = ? AND key = ?",
                                                  {snapshotter_, chain_id},
                                                  [](const state::Row&) -> Result<> { return {}; }));
    renamed = !there;
    const auto changed = TRY(
        there ? transaction.execute("DELETE FROM snapshots WHERE snapshotter = ? AND key = ? AND kind = 1",
                                    {snapshotter_, key})
              : transaction.execute("UPDATE snapshots SET key = ?, kind = 0 "
                                    "WHERE snapshotter = ? AND key = ? AND kind = 1",
                                    {chain_id, snapshotter_, key}));
    if (changed == 0) return base::not_found("no writable snapshot " + key);
    return {};
  }));
  return renamed;
}

Result<std::optional<std::uint64_t>> DirectoryTree::erase(const std::string& key) {
  std::optional<std::uint64_t> number;
  TRY(database_.transaction(Durability::ProcessDeath, [&](state::Transaction& transaction) -> Result<> {
    TRY(transaction.select_one("SELECT number FROM snapshots WHERE snapshotter = ? AND key = ?",
                               {snapshotter_, key}, [&](const state::Row& row) -> Result<> {
                                 number = row.size(0);
                                 return {};
                               }));
    const auto removed =
        transaction.execute("DELETE FROM snapshots WHERE snapshotter = ? AND key = ?", {snapshotter_, key});
    if (removed.failed_as(base::ErrorKind::Conflict)) {
      return base::conflict("snapshot " + key + " can't be removed: others stand on it");
    }
    TRY(Result<std::int64_t>{removed});
    return {};
  }));
  return number;
}

Result<std::vector<RowOfSnapshot>> DirectoryTree::chain(const std::string& key) {
  std::vector<RowOfSnapshot> rows;
  TRY(database_.read([&](state::Reader& reader) -> Result<> {
    return reader.select(
        "WITH RECURSIVE chain (key, number, kind, parent, created, depth) AS ("
        "SELECT key, number, kind, parent, created, 0 FROM snapshots WHERE snapshotter = ?1 AND key = ?2 "
        "UNION ALL SELECT s.key, s.number, s.kind, s.parent, s.created, depth + 1 FROM chain "
        "JOIN snapshots s ON s.snapshotter = ?1 AND s.key = chain.parent) "
        "SELECT key, number, kind, parent, created FROM chain ORDER BY depth",
        {snapshotter_, key}, [&](const state::Row& row) -> Result<> {
          rows.push_back(TRY(read_row(row)));
          return {};
        });
  }));
  if (rows.empty()) return base::not_found("no snapshot " + key);
  return rows;
}

Result<std::optional<RowOfSnapshot>> DirectoryTree::find(const std::string& key) {
  std::optional<RowOfSnapshot> found;
  TRY(database_.read([&](state::Reader& reader) -> Result<> {
    TRY(reader.select_one(
        "SELECT key, number, kind, parent, created FROM snapshots WHERE snapshotter = ? AND key = ?",
        {snapshotter_, key}, [&](const state::Row& row) -> Result<> {
          found = TRY(read_row(row));
          return {};
        }));
    return {};
  }));
  return found;
}

Result<bool> DirectoryTree::has(const std::string& key) {
  const auto row = TRY(find(key));
  return row ? folder_exists(row->number) : Result<bool>{false};
}

Result<std::vector<RowOfSnapshot>> DirectoryTree::all() {
  std::vector<RowOfSnapshot> rows;
  TRY(database_.read([&](state::Reader& reader) -> Result<> {
    return reader.select(
        "SELECT key, number, kind, parent, created FROM snapshots WHERE snapshotter = ? ORDER BY number",
        {snapshotter_}, [&](const state::Row& row) -> Result<> {
          rows.push_back(TRY(read_row(row)));
          return {};
        });
  }));
  return rows;
}

Result<std::vector<std::uint64_t>> DirectoryTree::numbers_of_others() {
  std::vector<std::uint64_t> numbers;
  TRY(database_.read([&](state::Reader& reader) -> Result<> {
    return reader.select("SELECT number FROM snapshots WHERE snapshotter <> ?", {snapshotter_},
                         [&](const state::Row& row) -> Result<> {
                           numbers.push_back(row.size(0));
                           return {};
                         });
  }));
  return numbers;
}

Staging::Staging(DirectoryTree& tree, std::uint64_t number, std::string path, sys::UniqueFd dir)
    : tree_{&tree}, number_{number}, path_{std::move(path)}, dir_{std::move(dir)} {}

Staging::Staging(Staging&& other) noexcept
    : tree_{std::exchange(other.tree_, nullptr)},
      number_{other.number_},
      path_{std::move(other.path_)},
      dir_{std::move(other.dir_)} {}

Staging& Staging::operator=(Staging&& other) noexcept {
  if (this != &other) {
    if (tree_ != nullptr) tree_->discard(number_);
    tree_ = std::exchange(other.tree_, nullptr);
    number_ = other.number_;
    path_ = std::move(other.path_);
    dir_ = std::move(other.dir_);
  }
  return *this;
}

Staging::~Staging() {
  if (tree_ == nullptr) return;
  dir_.reset();
  tree_->discard(number_);
}

}  // namespace snapshot
