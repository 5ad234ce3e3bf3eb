#include "snapshot/snapshotter.h"

#include "base/log.h"
#include "base/strings.h"
#include "sys/file.h"
#include "sys/overlay.h"

namespace snapshot {

base::Result<std::unique_ptr<Snapshotter>> open(std::string_view name, const std::string& root,
                                                state::Database& database) {
  if (name == "overlay" || name == "overlay2") return open_overlay(root, database);
  if (name == "native" || name == "vfs") return open_native(root, database);
  if (!name.empty()) {
    return base::invalid("unknown storage driver " + base::quoted(name) +
                         ": want overlay2 (overlay) or vfs (native)");
  }
  auto overlay = open_overlay(root, database);
  if (overlay || !overlay.failed_as(base::ErrorKind::NotImplemented)) return overlay;
  base::log::warn("{}; using whole copies instead", overlay.error().message());
  return open_native(root, database);
}

base::Result<sys::UniqueFd> open_tree(const Mounts& mounts) {
  if (!mounts.is_overlay()) {
    return sys::open_dir(sys::kCwd, mounts.upper.empty() ? mounts.bind_source : mounts.upper);
  }
  return sys::make_overlay(
             {.lowers = mounts.lowers, .upper = mounts.upper, .work = mounts.work, .options = mounts.options})
      .context("put the layers together");
}

}  // namespace snapshot
