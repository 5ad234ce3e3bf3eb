#include "snapshot/usage.h"

#include <set>
#include <utility>

#include <sys/stat.h>

#include "sys/file.h"

namespace snapshot {

using base::Result;

namespace {

struct Walk {
  Usage usage;
  dev_t device = 0;
  std::set<ino_t> linked;

  void count(const struct ::stat& status) {
    if (status.st_nlink > 1 && !S_ISDIR(status.st_mode) && !linked.insert(status.st_ino).second) return;
    usage.bytes += allocated_bytes(status);
    ++usage.inodes;
  }

  /// A tree that is in use may lose entries while it is walked.
  Result<> enter(int dir, const std::string& name) {
    auto folder = sys::open_at(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (folder.failed_as(base::ErrorKind::NotFound)) return {};
    const sys::UniqueFd opened = TRY(std::move(folder));
    for (const auto& entry : TRY(sys::list_dir(opened.get()))) {
      const auto status = sys::stat_at(opened.get(), entry.name);
      if (!status || status->st_dev != device) continue;
      count(*status);
      if (S_ISDIR(status->st_mode)) TRY(enter(opened.get(), entry.name));
    }
    return {};
  }
};

}  // namespace

Result<Usage> usage_of_tree(const std::string& path) {
  Walk walk;
  const auto status = TRY(sys::stat_at(sys::kCwd, path));
  walk.device = status.st_dev;
  walk.count(status);
  TRY(walk.enter(sys::kCwd, path));
  return walk.usage;
}

}  // namespace snapshot
