#include "engine/containers/image_mounts.h"

#include <algorithm>

#include <sys/mount.h>

#include "base/log.h"
#include "base/scope_guard.h"
#include "sys/file.h"
#include "sys/mount.h"

namespace engine {
namespace {

std::string directory(const Core& core, const std::string& container) {
  return core.options.exec_root + "/images/" + container;
}

base::Result<> mount_image(Core& core, const std::string& image, const std::string& target) {
  const snapshot::Mounts mounts = TRY(core.snapshots.mounts(TRY(core.images.get(image)).top_layer));
  const bool is_folder = !mounts.is_overlay();
  const auto mount = is_folder ? TRY(sys::clone_mount(sys::kCwd, mounts.upper.empty() ? mounts.bind_source : mounts.upper, false))
                               : TRY(snapshot::open_tree(mounts));
  TRY(sys::change_mount(mount.get(), {.set = MOUNT_ATTR_RDONLY, .propagation = MS_PRIVATE}, false));
  const auto place = TRY(sys::open_at(sys::kCwd, target, O_PATH | O_DIRECTORY | O_NOFOLLOW));
  return sys::attach_mount(mount.get(), place.get());
}

}  // namespace

std::string image_mount_path(const Core& core, const std::string& container, std::size_t index) {
  return directory(core, container) + "/" + std::to_string(index);
}

base::Result<> resolve_image_mounts(Core& core, Record& record) {
  for (MountRecord& mount : record.mounts) {
    if (mount.type == "image") mount.image_id = TRY(core.images.get(mount.source)).id.str();
  }
  return {};
}

base::Result<> make_image_mounts(Core& core, const Record& record) {
  if (std::ranges::find(record.mounts, "image", &MountRecord::type) == record.mounts.end()) return {};
  base::ScopeGuard undo{[&] { drop_image_mounts(core, record.id); }};
  for (std::size_t i = 0; i < record.mounts.size(); ++i) {
    const MountRecord& mount = record.mounts[i];
    if (mount.type != "image") continue;
    const std::string target = image_mount_path(core, record.id, i);
    TRY(sys::make_dirs(sys::kCwd, target, 0700));
    if (TRY(sys::is_mount_point(target))) continue;
    TRY(mount_image(core, mount.image_id, target).context("mount image " + mount.source));
  }
  undo.release();
  return {};
}

void drop_image_mounts(Core& core, const std::string& container) {
  const std::string root = directory(core, container);
  const auto mounts = sys::list_dir(sys::kCwd, root);
  if (!mounts) return;
  for (const sys::DirEntry& entry : *mounts) {
    const std::string path = root + "/" + entry.name;
    base::ignore(sys::unmount(path, MNT_DETACH | UMOUNT_NOFOLLOW), "the next line says whether it worked");
    if (const auto removed = sys::unlink_at(sys::kCwd, path, true); !removed) {
      base::log::warn("container {}: the mount of an image stays: {}", container, removed.error().message());
    }
  }
  base::ignore(sys::unlink_at(sys::kCwd, root, true), "it is empty, or the line above has said why not");
}

}  // namespace engine
