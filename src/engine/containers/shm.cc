#include "engine/containers/shm.h"

#include <sys/mount.h>

#include "base/log.h"
#include "sys/file.h"
#include "sys/mount.h"

namespace engine {

std::string shm_path(const Core& core, const std::string& id) { return core.options.exec_root + "/shm/" + id; }

base::Result<> make_shm(Core& core, const Record& record) {
  if (record.host.ipc_mode != "shareable") return {};
  drop_shm(core, record.id);  // of a run whose end nobody saw
  const std::string path = shm_path(core, record.id);
  TRY(sys::make_dirs(sys::kCwd, path, 0700));
  sys::NewMount mount{.type = "tmpfs", .source = "shm",
                      .attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC};
  mount.parameters.push_back({.key = "mode", .value = "1777"});
  mount.parameters.push_back({.key = "size", .value = std::to_string(record.host.shm_size)});
  const auto made = TRY(sys::make_mount(mount));
  const auto target = TRY(sys::open_at(sys::kCwd, path, O_PATH | O_DIRECTORY));
  return sys::attach_mount(made.get(), target.get()).context("mount /dev/shm of container " + record.id);
}

void drop_shm(Core& core, const std::string& id) {
  const std::string path = shm_path(core, id);
  if (!sys::exists(sys::kCwd, path).value_or(false)) return;
  // Lazily: a container that joined it may still use it. EINVAL: a directory without a mount.
  base::ignore(sys::unmount(path, MNT_DETACH | UMOUNT_NOFOLLOW), "the next line says whether it worked");
  if (const auto removed = sys::unlink_at(sys::kCwd, path, true); !removed) {
    base::log::warn("container {}: its shared memory stays: {}", id, removed.error().message());
  }
}

}  // namespace engine
