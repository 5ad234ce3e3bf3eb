/// What the folders take, and whether the rows say the same.

#include <algorithm>

#include <fmt/format.h>

#include "base/strings.h"
#include "snapshot/detail/directory_tree.h"
#include "snapshot/usage.h"
#include "sys/file.h"

namespace snapshot {

using base::Result;
using state::Durability;

Result<std::set<std::uint64_t>> DirectoryTree::folders() const {
  std::set<std::uint64_t> numbers;
  for (const auto& entry : TRY(sys::list_dir(root_fd_.get()))) {
    if (const auto number = base::parse_uint(entry.name)) numbers.insert(*number);
  }
  return numbers;
}

Result<bool> DirectoryTree::folder_exists(std::uint64_t number) const {
  return sys::exists(root_fd_.get(), fmt::format("{}/fs", number));
}

std::set<std::uint64_t> DirectoryTree::unnamed() const {
  const std::scoped_lock lock{unnamed_mutex_};
  return unnamed_;
}

void DirectoryTree::name_number(std::uint64_t number) {
  const std::scoped_lock lock{unnamed_mutex_};
  unnamed_.erase(number);
}

Result<std::optional<Usage>> DirectoryTree::remembered_usage(const RowOfSnapshot& row) {
  std::optional<Usage> known;
  TRY(database_.read([&](state::Reader& reader) -> Result<> {
    TRY(reader.select_one("SELECT bytes, inodes FROM snapshots WHERE snapshotter = ? AND key = ?",
                          {snapshotter_, row.info.key}, [&](const state::Row& columns) -> Result<> {
                            if (!columns.is_null(0)) known = Usage{columns.size(0), columns.size(1)};
                            return {};
                          }));
    return {};
  }));
  return known;
}

Result<> DirectoryTree::remember_usage(const RowOfSnapshot& row, const Usage& usage) {
  return database_.transaction(Durability::ProcessDeath, [&](state::Transaction& transaction) -> Result<> {
    TRY(transaction.execute("UPDATE snapshots SET bytes = ?, inodes = ? WHERE snapshotter = ? AND key = ?",
                            {usage.bytes, usage.inodes, snapshotter_, row.info.key}));
    return {};
  });
}

Result<Usage> DirectoryTree::usage(const RowOfSnapshot& row) {
  if (row.info.kind != Kind::Layer) return usage_of_tree(fs_of(row.number));
  if (const auto known = TRY(remembered_usage(row))) return *known;
  const Usage measured = TRY(usage_of_tree(fs_of(row.number)));
  TRY(remember_usage(row, measured));
  return measured;
}

Result<std::vector<Damage>> DirectoryTree::check() {
  // In this order: what is made meanwhile is no folder yet, or unnamed, or has its row by then.
  std::set<std::uint64_t> unknown = TRY(folders());
  for (const std::uint64_t number : unnamed()) unknown.erase(number);
  for (const std::uint64_t number : TRY(numbers_of_others())) unknown.erase(number);
  std::vector<Damage> found;
  for (const auto& row : TRY(all())) {
    unknown.erase(row.number);
    Damage damage{.kind = Damage::Kind::FolderMissing, .number = row.number, .info = row.info};
    if (!TRY(folder_exists(row.number))) {
      // Removed since the rows were read?
      if (const auto again = TRY(find(row.info.key)); again && again->number == row.number)
        found.push_back(std::move(damage));
      continue;
    }
    if (row.info.kind != Kind::Layer) continue;
    const auto known = TRY(remembered_usage(row));
    if (!known) continue;
    const auto measured = usage_of_tree(fs_of(row.number));
    if (!measured) continue;  // removed meanwhile
    if (measured->bytes == known->bytes && measured->inodes == known->inodes) continue;
    damage.kind = Damage::Kind::WrongUsage;
    damage.recorded = *known;
    damage.found = *measured;
    found.push_back(std::move(damage));
  }
  for (const std::uint64_t number : unknown) {
    const auto usage = usage_of_tree(folder_of(number));
    if (!usage) continue;
    found.push_back({.kind = Damage::Kind::FolderUnknown, .number = number, .info = {}, .recorded = {}, .found = *usage});
  }
  return found;
}

Result<> DirectoryTree::repair(const Damage& damage) {
  const RowOfSnapshot row{damage.info, damage.number};
  switch (damage.kind) {
    case Damage::Kind::FolderUnknown: discard(damage.number); return {};
    case Damage::Kind::WrongUsage: return remember_usage(row, damage.found);
    case Damage::Kind::FolderMissing: break;
  }
  if (damage.info.kind == Kind::Layer) {
    return base::conflict("the folder of layer " + damage.info.key + " comes back when it is unpacked again");
  }
  TRY(erase(damage.info.key));
  return {};
}

Result<Space> DirectoryTree::space() {
  Space space;
  std::set<std::uint64_t> rest = TRY(folders());
  for (const auto& row : TRY(all())) {
    rest.erase(row.number);
    if (row.info.kind == Kind::Layer) {
      const auto used = usage(row);
      const auto folder = sys::stat_at(root_fd_.get(), std::to_string(row.number));
      if (used && folder) space.layers += used->bytes + allocated_bytes(*folder);
    } else if (const auto used = usage_of_tree(folder_of(row.number))) {
      space.writable += used->bytes;
    }
  }
  for (const std::uint64_t number : rest) {
    if (const auto used = usage_of_tree(folder_of(number))) space.unnamed += used->bytes;
  }
  if (const auto used = usage_of_tree(root_ + "/trash")) space.removing = used->bytes;
  // The folder itself is always there.
  if (const auto trash = sys::stat_at(root_fd_.get(), "trash"))
    space.removing -= std::min(space.removing, allocated_bytes(*trash));
  return space;
}

}  // namespace snapshot
