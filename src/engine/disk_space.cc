#include "engine/system_service.h"
#include "snapshot/usage.h"
#include "sys/file.h"

namespace engine {

using base::Result;

/// The stores know their own; the rest is measured here. What is removed meanwhile is not counted.
Result<spec::api::DiskSpace> SystemService::disk_space() {
  const std::string root = settings_.now()->options.data_root;
  const auto images = TRY(images_.disk_space());
  spec::api::DiskSpace space{.blobs = images.blobs,
                             .ingests = images.ingests,
                             .layers = images.layers,
                             .writable = images.writable,
                             .being_removed = images.removing};
  const auto tree = [&](const std::string& name) {
    const auto usage = snapshot::usage_of_tree(root + "/" + name);
    return usage ? usage->bytes : 0;
  };
  space.volumes = tree("volumes");
  space.container_files = tree("containers");
  // Of the stores only their topmost folders, which they don't count; of the rest everything.
  if (const auto folder = sys::stat_at(sys::kCwd, root)) space.records += snapshot::allocated_bytes(*folder);
  for (const auto& entry : TRY(sys::list_dir(sys::kCwd, root))) {
    if (entry.name == "volumes" || entry.name == "containers" || entry.name == "content") continue;
    if (entry.name != "snapshots") {
      const auto status = sys::stat_at(sys::kCwd, root + "/" + entry.name);
      if (status) space.records += S_ISDIR(status->st_mode) ? tree(entry.name) : snapshot::allocated_bytes(*status);
      continue;
    }
    for (const char* folder : {"snapshots", "snapshots/trash"}) {
      if (const auto status = sys::stat_at(sys::kCwd, root + "/" + folder))
        space.records += snapshot::allocated_bytes(*status);
    }
  }
  space.total = space.blobs + space.ingests + space.layers + space.writable + space.being_removed + space.volumes +
                space.container_files + space.records;
  return space;
}

}  // namespace engine
