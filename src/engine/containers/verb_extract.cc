#include <cerrno>

#include "base/strings.h"
#include "engine/containers/launch.h"
#include "engine/containers/tree_view.h"
#include "engine/containers/verbs.h"
#include "engine/oci/user.h"
#include "layer/apply.h"
#include "sys/file.h"
#include "sys/mount.h"

namespace engine {
namespace {

/// The innermost of the container's mounts that holds `path`, which is clean.
const MountRecord* mount_of(const Record& record, std::string_view path) {
  const MountRecord* best = nullptr;
  for (const MountRecord& mount : record.mounts) {
    std::string_view place = mount.destination;
    while (place.size() > 1 && place.ends_with('/')) place.remove_suffix(1);
    const bool inside = path == place || (path.starts_with(place) && path[place.size()] == '/') || place == "/";
    if (inside && (best == nullptr || place.size() > best->destination.size())) best = &mount;
  }
  return best;
}

base::Result<> check_writable(const TreeView& view, int folder, const std::string& path) {
  const Record& record = *view.record;
  const MountRecord* mount = mount_of(record, path);
  // A tmpfs is there only while the container runs: before, its place is one in the root.
  if (mount != nullptr && mount->type == "tmpfs" && !view.running) mount = nullptr;
  if (mount != nullptr && !mount->writable) return base::invalid("mounted volume is marked read-only");
  const bool refused = mount == nullptr && record.host.readonly_rootfs && !view.running;
  if (refused || TRY(sys::is_read_only(folder))) {
    return base::invalid(mount != nullptr ? "mounted volume is marked read-only" : "container rootfs is marked read-only");
  }
  return {};
}

}  // namespace

base::Result<> extract(Core& core, const ContainerPtr& container, const std::string& ref, const std::string& path,
                       const ExtractOptions& options, base::ByteSource& archive) {
  const TreeView view = TRY(open_tree_view(core, container));
  const auto folder = sys::open_in_root(view.root(), path, O_PATH | O_DIRECTORY);
  if (!folder) {
    if (folder.error().is(base::ErrorKind::NotFound)) {
      return base::not_found("Could not find the file " + path + " in container " + ref);
    }
    if (folder.error().errno_value() == ENOTDIR) return base::invalid("extraction point is not a directory");
    return base::Error{folder.error()}.as(base::ErrorKind::Internal);
  }
  // The name by which names in the archive count. Should the container change a link on the way now, they lead
  // somewhere else inside of it.
  const std::string place = TRY(sys::resolve_missing_in_root(view.root(), path));
  TRY(check_writable(view, folder->get(), place));

  layer::ExtractOptions wanted;
  wanted.place.keep_kinds = options.no_overwrite_dir_non_dir;
  wanted.place.folder = place.substr(1);
  const std::string& user = view.record->config.user;
  if (options.copy_uid_gid && !user.empty()) {
    const UserFiles files = TRY(read_user_files(view.root()));
    const auto owner = TRY(oci::resolve_user(user, files.passwd, files.group, {}));
    wanted.place.owner = tree::PlaceOptions::Owner::Given;
    wanted.place.uid = owner.uid;
    wanted.place.gid = owner.gid;
  }
  TRY(layer::extract(archive, view.root(), wanted));
  publish(core, *view.record, "extract-to-dir");
  return {};
}

}  // namespace engine
