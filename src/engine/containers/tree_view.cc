#include "engine/containers/tree_view.h"

#include <algorithm>

#include <sys/mount.h>

#include "base/strings.h"
#include "engine/containers/launch.h"
#include "ps/process.h"
#include "sys/file.h"
#include "sys/mount.h"
#include "sys/process.h"

namespace engine {
namespace {

/// A file of /proc/<pid> of the container's init. The pid is not trusted: it must be the shim's child, and the same
/// process before and after.
base::Result<sys::UniqueFd> open_of_init(Core& core, const ContainerPtr& container, const char* file, int flags) {
  const auto record = container->record();
  const auto gone = [&] { return base::conflict("container " + record->id + " is not running"); };
  if (!has_process(record->state)) return gone();
  const auto init = sys::Process::open(static_cast<pid_t>(record->pid));
  if (!init) return gone();
  const auto seen = ps::read_process(static_cast<int>(record->pid));
  const auto shim = sys::read_file(sys::kCwd, core.run_dir(record->id) + "/shim.pid");
  if (!seen || !shim || base::parse_int(base::trim(*shim)) != seen->parent) return gone();
  auto opened = sys::open_at(sys::kCwd, "/proc/" + std::to_string(record->pid) + "/" + file, flags);
  if (!opened || !init->alive()) return gone();
  return opened;
}

base::Result<sys::UniqueFd> root_of_init(Core& core, const ContainerPtr& container) {
  return open_of_init(core, container, "root", O_PATH | O_DIRECTORY);
}

base::Result<sys::UniqueFd> layers_of_init(Core& core, const ContainerPtr& container) {
  const auto mounts = TRY(open_of_init(core, container, "ns/mnt", O_RDONLY));
  return sys::clone_root_mount(mounts.get());
}

/// What a mount shows: the volume, a directory or a file of the host.
base::Result<std::string> source_of(Core& core, const MountRecord& mount) {
  if (mount.type == "bind") return mount.source;
  const volume::Volume volume = TRY(core.volumes.get(mount.name));
  if (mount.subpath.empty()) return volume.mountpoint;
  const auto root = TRY(sys::open_dir(sys::kCwd, volume.mountpoint));
  const auto inside = TRY(sys::open_in_root(root.get(), mount.subpath, O_PATH));
  return sys::read_link(sys::kCwd, sys::proc_path(inside.get()));
}

base::Result<> attach(int root, const std::string& source, const std::string& destination, bool writable) {
  const auto tree = TRY(sys::clone_mount(sys::kCwd, source, true));
  if (!writable) TRY(sys::change_mount(tree.get(), {.set = MOUNT_ATTR_RDONLY}, true));
  const bool directory = S_ISDIR(TRY(sys::stat_fd(tree.get())).st_mode);
  auto target = sys::open_in_root(root, destination, O_PATH);
  // As the start would: a directory that is missing is made. A file would have to be, too, but then nobody has
  // seen the container with it yet.
  if (!target && directory) target = sys::make_dirs_in_root(root, destination);
  return sys::attach_mount(tree.get(), TRY(std::move(target)).get());
}

/// In the private mount namespace.
base::Result<sys::UniqueFd> put_together(Core& core, const Record& record, int rootfs) {
  // Any directory of the container's own serves; it is covered.
  const std::string place = core.data_dir(record.id);
  {
    const auto target = TRY(sys::open_at(sys::kCwd, place, O_PATH | O_DIRECTORY));
    TRY(sys::attach_mount(rootfs, target.get()));
  }
  sys::UniqueFd root = TRY(sys::open_dir(sys::kCwd, place));
  for (const char* name : {"resolv.conf", "hostname", "hosts"}) {
    base::ignore(attach(root.get(), core.names_dir(record.id) + "/" + name, std::string{"/etc/"} + name,
                        !record.host.readonly_rootfs),
                 "a container that was never started has none");
  }
  std::vector<MountRecord> mounts = record.mounts;
  std::ranges::stable_sort(mounts, {}, [](const MountRecord& mount) {
    return base::split_words(mount.destination, '/').size();
  });
  for (const MountRecord& mount : mounts) {
    if (mount.type != "bind" && mount.type != "volume") continue;
    const std::string source = TRY(source_of(core, mount));
    if (!TRY(sys::exists(sys::kCwd, source))) continue;  // the start would make it, or refuse
    TRY(attach(root.get(), source, mount.destination, mount.writable).context("mount " + mount.destination));
  }
  if (record.host.readonly_rootfs) TRY(sys::change_mount(root.get(), {.set = MOUNT_ATTR_RDONLY}, false));
  return root;
}

using OpenRunning = base::Result<sys::UniqueFd> (*)(Core&, const ContainerPtr&);

/// The root of one that runs, or the lock that keeps it from doing so.
base::Result<TreeView> open_view(Core& core, const ContainerPtr& container, OpenRunning open_running) {
  TreeView view;
  if (auto root = open_running(core, container)) {
    view.record = container->record();
    view.running = true;
    view.own_root = *std::move(root);
    return view;
  }
  view.verb = std::unique_lock{container->verbs};
  if (container->removed()) return base::not_found("No such container: " + container->id());
  view.record = container->record();
  if (!has_process(view.record->state)) return view;
  view.verb.unlock();  // it was started meanwhile
  view.own_root = TRY(open_running(core, container));
  view.running = true;
  return view;
}

}  // namespace

base::Result<TreeView> open_tree_view(Core& core, const ContainerPtr& container) {
  TreeView view = TRY(open_view(core, container, root_of_init));
  if (view.running) return view;
  const snapshot::Mounts mounts = TRY(core.snapshots.mounts(view.record->id));
  const auto rootfs =
      mounts.is_overlay() ? TRY(snapshot::open_tree(mounts)) : TRY(sys::clone_mount(sys::kCwd, mounts.upper, false));
  view.mounts = TRY(sys::make_private_mounts([&] { return put_together(core, *view.record, rootfs.get()); }));
  return view;
}

base::Result<TreeView> open_layers_view(Core& core, const ContainerPtr& container) {
  TreeView view = TRY(open_view(core, container, layers_of_init));
  if (!view.running) view.own_root = TRY(snapshot::open_tree(TRY(core.snapshots.mounts(view.record->id))));
  return view;
}

}  // namespace engine
