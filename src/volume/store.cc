#include "volume/store.h"

#include <algorithm>
#include <array>

#include <sys/stat.h>

#include "base/id.h"
#include "base/log.h"
#include "base/scope_guard.h"
#include "codec/describe.h"
#include "sys/crash_point.h"
#include "sys/file.h"
#include "sys/mount.h"
#include "volume/mount.h"

namespace volume {
namespace {

struct Row {
  std::map<std::string, std::string> options, labels;
};
void describe(auto& v, Row& row) {
  v.opt("options", row.options);
  v.opt("labels", row.labels);
}

constexpr std::string_view kData = "/_data";
constexpr std::array<std::string_view, 4> kOptions = {"type", "o", "device", "size"};

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

base::Result<> check_options(const std::map<std::string, std::string>& options) {
  for (const auto& [key, value] : options) {
    if (std::ranges::find(kOptions, key) == kOptions.end()) return base::invalid("invalid option: \"" + key + "\"");
  }
  if (options.contains("size")) return base::invalid("quota size requested but no quota support");
  const bool any = options.contains("type") || options.contains("o") || options.contains("device");
  for (const std::string_view needed : {"type", "device"}) {
    if (any && !options.contains(std::string{needed})) {
      return base::invalid("missing required option: \"" + std::string{needed} + "\"");
    }
  }
  return {};
}

/// Until nothing is mounted on the volume's data any more.
base::Result<> unmount_data(const std::string& directory) {
  const std::string data = directory + std::string{kData};
  while (sys::is_mount_point(data).value_or(false)) TRY(sys::unmount(data, MNT_DETACH | UMOUNT_NOFOLLOW));
  return {};
}

}  // namespace

base::Result<> check_name(std::string_view name) {
  if (name.size() == 1) {
    return base::invalid("volume name is too short, names should be at least two alphanumeric characters");
  }
  const bool valid = !name.empty() && is_alphanumeric(name[0]) && std::ranges::all_of(name, [](char c) {
    return is_alphanumeric(c) || c == '_' || c == '.' || c == '-';
  });
  if (valid) return {};
  return base::invalid("\"" + std::string{name} +
                       "\" includes invalid characters for a local volume name, only "
                       "\"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host directory, use "
                       "absolute path");
}

Store::Store(std::string root, state::Database& database) : root_{std::move(root)}, database_{database} {}
Store::~Store() = default;

base::Result<std::unique_ptr<Store>> Store::open(const std::string& root, state::Database& database) {
  TRY(sys::make_dirs(sys::kCwd, root, 0701));
  std::unique_ptr<Store> store{new Store{root, database}};
  TRY(store->load());
  TRY(store->collect_leftovers());
  return store;
}

base::Result<> Store::load() {
  return database_.read([&](state::Reader& reader) -> base::Result<> {
    return reader.select("SELECT name, driver, created, json FROM volumes", {},
                         [&](const state::Row& columns) -> base::Result<> {
                           Row row = TRY(codec::from_json_text<Row>(columns.text(3)));
                           Volume volume{.name = columns.text(0), .driver = columns.text(1),
                                         .options = std::move(row.options), .labels = std::move(row.labels),
                                         .created = columns.time(2)};
                           volume.mountpoint = directory_of(volume.name) + std::string{kData};
                           volumes_.emplace(volume.name, std::move(volume));
                           return {};
                         });
  });
}

base::Result<> Store::collect_leftovers() {
  for (const sys::DirEntry& entry : TRY(sys::list_dir(sys::kCwd, root_))) {
    if (volumes_.contains(entry.name)) continue;
    base::log::info("volume: removing {}, which has no record", directory_of(entry.name));
    TRY(unmount_data(directory_of(entry.name)));
    TRY(sys::remove_tree(sys::kCwd, directory_of(entry.name)));
  }
  return {};
}

base::Result<Store::Created> Store::create(const Request& request) {
  if (!request.driver.empty() && request.driver != "local") {
    return base::not_found("error looking up volume plugin " + request.driver + ": plugin \"" + request.driver +
                           "\" not found");
  }
  Volume volume{.name = request.name.empty() ? base::random_id() : request.name, .options = request.options,
                .labels = request.labels, .created = base::now()};
  if (request.name.empty()) volume.labels.try_emplace(kAnonymousLabel);
  TRY(check_name(volume.name).context("create " + volume.name));
  TRY(check_options(volume.options).context("create " + volume.name));
  volume.mountpoint = directory_of(volume.name) + std::string{kData};

  // Held over two mkdirs and a commit: creating volumes is rare, and two of one name must agree.
  const std::lock_guard lock{mutex_};
  if (const auto there = volumes_.find(volume.name); there != volumes_.end()) {
    if (!request.options.empty() && request.options != there->second.options) {
      return base::conflict("create " + volume.name + ": conflict: volume name must be unique");
    }
    return Created{there->second, false};
  }
  base::ScopeGuard undo{[&] {
    base::ignore(sys::remove_tree(sys::kCwd, directory_of(volume.name)), "the next start collects it");
  }};
  TRY(sys::make_dirs(sys::kCwd, directory_of(volume.name), 0701));
  TRY(sys::make_dirs(sys::kCwd, volume.mountpoint, 0755));
  CRASH_POINT("volume.create.directory");
  const std::string json = codec::to_json(Row{volume.options, volume.labels}).dump();
  TRY(database_.transaction(state::Durability::PowerLoss, [&](state::Transaction& t) -> base::Result<> {
    TRY(t.execute("INSERT INTO volumes (name, driver, created, json) VALUES (?, ?, ?, ?)",
                  {volume.name, volume.driver, volume.created, json}));
    return {};
  }));
  undo.release();
  volumes_.emplace(volume.name, volume);
  return Created{std::move(volume), true};
}

base::Result<Volume> Store::get(const std::string& name) const {
  const std::lock_guard lock{mutex_};
  const auto found = volumes_.find(name);
  if (found == volumes_.end()) return base::not_found("get " + name + ": no such volume");
  return found->second;
}

std::vector<Volume> Store::list() const {
  const std::lock_guard lock{mutex_};
  std::vector<Volume> all;
  for (const auto& [name, volume] : volumes_) all.push_back(volume);
  return all;
}

base::Result<> Store::remove(const std::string& name) {
  {
    const std::lock_guard lock{mutex_};
    const auto found = volumes_.find(name);
    if (found == volumes_.end()) return base::not_found("get " + name + ": no such volume");
    // What is mounted there is not the volume's to remove.
    TRY(unmount_data(directory_of(name)).context("remove " + name));
    TRY(database_.transaction(state::Durability::PowerLoss, [&](state::Transaction& t) -> base::Result<> {
      TRY(t.execute("DELETE FROM volumes WHERE name = ?", {name}));
      return {};
    }));
    // Out of the way of a new volume of this name, at once; the files can take their time.
    TRY(sys::make_dirs(sys::kCwd, root_ + "/.removed", 0700));
    TRY(sys::rename_at(sys::kCwd, directory_of(name), sys::kCwd, root_ + "/.removed/" + base::random_hex(16)));
    volumes_.erase(found);
    uses_.erase(name);
  }
  CRASH_POINT("volume.remove.recorded");
  for (const sys::DirEntry& entry : TRY(sys::list_dir(sys::kCwd, root_ + "/.removed"))) {
    TRY(sys::remove_tree(sys::kCwd, root_ + "/.removed/" + entry.name));
  }
  return {};
}

base::Result<std::shared_ptr<Store::Uses>> Store::uses_of(const std::string& name) {
  const std::lock_guard lock{mutex_};
  const auto found = volumes_.find(name);
  if (found == volumes_.end()) return base::not_found("get " + name + ": no such volume");
  if (!found->second.needs_mount()) return std::shared_ptr<Uses>{};
  auto& uses = uses_[name];
  if (!uses) uses = std::make_shared<Uses>();
  return uses;
}

base::Result<> Store::acquire(const std::string& name, const std::string& user) {
  const auto uses = TRY(uses_of(name));
  if (!uses) return {};
  const Volume volume = TRY(get(name));
  const std::lock_guard lock{uses->mutex};
  if (!TRY(sys::is_mount_point(volume.mountpoint))) TRY(mount_on(plan_mount(volume.options), volume.mountpoint));
  uses->users.insert(user);
  return {};
}

base::Result<> Store::release(const std::string& name, const std::string& user) {
  const auto uses = TRY(uses_of(name));
  if (!uses) return {};
  const std::lock_guard lock{uses->mutex};
  if (uses->users.erase(user) == 0 || !uses->users.empty()) return {};
  return unmount_data(directory_of(name)).context("unmount volume " + name);
}

void Store::release_unused() {
  for (const Volume& volume : list()) {
    const auto uses = uses_of(volume.name);
    if (!uses || !*uses) continue;
    const std::lock_guard lock{(*uses)->mutex};
    if (!(*uses)->users.empty()) continue;
    if (const auto gone = unmount_data(directory_of(volume.name)); !gone) {
      base::log::warn("volume {}: its mount stays: {}", volume.name, gone.error().message());
    }
  }
}

base::Result<bool> Store::is_empty(const Volume& volume) const {
  return TRY(sys::list_dir(sys::kCwd, volume.mountpoint)).empty();
}

namespace {
base::Result<std::uint64_t> tree_bytes(int dir) {
  std::uint64_t bytes = 0;
  for (const sys::DirEntry& entry : TRY(sys::list_dir(dir))) {
    const auto info = sys::stat_at(dir, entry.name);
    if (!info) continue;  // removed meanwhile
    bytes += static_cast<std::uint64_t>(info->st_blocks) * 512;
    if (!S_ISDIR(info->st_mode)) continue;
    const auto child = TRY(sys::open_beneath_no_symlinks(dir, entry.name, O_RDONLY | O_DIRECTORY));
    bytes += TRY(tree_bytes(child.get()));
  }
  return bytes;
}
}  // namespace

base::Result<std::uint64_t> Store::usage(const Volume& volume) const {
  const auto dir = TRY(sys::open_dir(sys::kCwd, volume.mountpoint));
  return tree_bytes(dir.get());
}

}  // namespace volume
