#include "engine/containers/volumes.h"

#include <algorithm>

#include "base/log.h"
#include "base/scope_guard.h"
#include "base/strings.h"
#include "engine/containers/image_mounts.h"
#include "engine/containers/launch.h"
#include "snapshot/copy.h"
#include "sys/file.h"

namespace engine {
namespace {

/// --mount volume-opt=…, volume-label=…
volume::Request request_for(const Record& record, const MountRecord& mount) {
  volume::Request request{.name = mount.name, .driver = record.host.volume_driver};
  if (mount.anonymous) request.labels[volume::kAnonymousLabel] = "";
  for (const spec::api::Mount& asked : record.host.mounts.value_or(std::vector<spec::api::Mount>{})) {
    if (asked.type != "volume" || asked.source != mount.name || !asked.volume_options) continue;
    request.labels.insert(asked.volume_options->labels.begin(), asked.volume_options->labels.end());
    if (asked.volume_options->driver_config) {
      request.driver = asked.volume_options->driver_config->name;
      request.options = asked.volume_options->driver_config->options;
    }
  }
  return request;
}

std::string notes_dir(const Core& core) { return core.options.data_root + "/volume-notes"; }

bool has_anonymous_volumes(const Record& record) {
  return std::ranges::any_of(record.mounts, [](const MountRecord& mount) {
    return mount.type == "volume" && mount.anonymous;
  });
}

}  // namespace

bool is_used_elsewhere(Core& core, const std::string& volume, const std::string& but) {
  for (const ContainerPtr& other : core.table.all()) {
    if (other->id() == but) continue;
    for (const MountRecord& mount : other->record()->mounts) {
      if (mount.type == "volume" && mount.name == volume) return true;
    }
  }
  return false;
}

base::Result<> note_volumes(Core& core, const Record& record) {
  if (!has_anonymous_volumes(record)) return {};
  std::string names;
  for (const MountRecord& mount : record.mounts) {
    if (mount.type == "volume" && mount.anonymous) names += mount.name + "\n";
  }
  TRY(sys::make_dirs(sys::kCwd, notes_dir(core), 0700));
  return sys::write_file_atomic(sys::kCwd, notes_dir(core) + "/" + record.id, names, 0600);
}

void forget_noted_volumes(Core& core, const Record& record) {
  if (!has_anonymous_volumes(record)) return;
  base::ignore(sys::unlink_at(sys::kCwd, notes_dir(core) + "/" + record.id), "the next start looks whether there is a row");
}

void collect_noted_volumes(Core& core) {
  const auto notes = sys::list_dir(sys::kCwd, notes_dir(core));
  if (!notes) return;  // none was ever needed
  for (const sys::DirEntry& note : *notes) {
    const std::string path = notes_dir(core) + "/" + note.name;
    if (!core.table.find(note.name)) {
      const std::string names = sys::read_file(sys::kCwd, path).value_or(std::string{});
      for (const std::string_view name : base::split_words(names, '\n')) {
        const auto volume = core.volumes.get(std::string{name});
        // Another container may have it by --volumes-from.
        if (!volume || !volume->anonymous() || is_used_elsewhere(core, volume->name, note.name)) continue;
        if (const auto removed = core.volumes.remove(volume->name); !removed) {
          base::log::warn("volume {} of container {} stays: {}", name, note.name, removed.error().message());
        }
      }
    }
    base::ignore(sys::unlink_at(sys::kCwd, path), "the next start tries again");
  }
}

base::Result<std::vector<volume::Volume>> make_volumes(Core& core, const Record& record) {
  std::vector<volume::Volume> made;
  base::ScopeGuard undo{[&] { drop_new_volumes(core, made); }};
  for (const MountRecord& mount : record.mounts) {
    if (mount.type != "volume") continue;
    auto created = TRY(core.volumes.create(request_for(record, mount)));
    if (!created.is_new) continue;
    core.events.publish("volume", "create", created.volume.name, {{"driver", created.volume.driver}});
    made.push_back(std::move(created.volume));
  }
  undo.release();
  return made;
}

base::Result<> fill_volumes(Core& core, const Record& record) {
  sys::UniqueFd root;  // made for the first volume that needs it
  for (const MountRecord& mount : record.mounts) {
    if (mount.type != "volume" || !mount.copy_image || !mount.subpath.empty()) continue;
    const volume::Volume volume = TRY(core.volumes.get(mount.name));
    TRY(core.volumes.acquire(mount.name, record.id));
    const base::ScopeGuard release{[&] {
      base::ignore(core.volumes.release(mount.name, record.id), "the next user or daemon finds it mounted");
    }};
    if (!TRY(core.volumes.is_empty(volume))) continue;
    if (!root) root = TRY(merged_view(TRY(core.snapshots.mounts(record.id))));
    // The image decides what stands there: only a directory inside its own root is copied.
    const auto source = sys::open_in_root(root.get(), mount.destination, O_RDONLY | O_DIRECTORY);
    if (!source) continue;
    const auto target = TRY(sys::open_dir(sys::kCwd, volume.mountpoint));
    TRY(snapshot::copy_tree(source->get(), target.get())
            .context("failed to copy the image's " + mount.destination + " into volume " + volume.name));
  }
  return {};
}

base::Result<> acquire_volumes(Core& core, const Record& record) {
  base::ScopeGuard undo{[&] { release_volumes(core, record); }};
  for (const MountRecord& mount : record.mounts) {
    if (mount.type != "volume") continue;
    TRY(core.volumes.acquire(mount.name, record.id)
            .context("error while mounting volume '" + core.options.data_root + "/volumes/" + mount.name + "/_data'"));
  }
  TRY(make_image_mounts(core, record));
  undo.release();
  return {};
}

void release_volumes(Core& core, const Record& record) {
  drop_image_mounts(core, record.id);
  for (const MountRecord& mount : record.mounts) {
    if (mount.type != "volume") continue;
    const auto released = core.volumes.release(mount.name, record.id);
    if (!released && !released.error().is(base::ErrorKind::NotFound)) {
      base::log::warn("container {}: {}", record.id, released.error().message());
    }
  }
}

void drop_new_volumes(Core& core, const std::vector<volume::Volume>& volumes) {
  for (const volume::Volume& volume : volumes) {
    if (const auto removed = core.volumes.remove(volume.name); removed) {
      core.events.publish("volume", "destroy", volume.name, {{"driver", volume.driver}});
    } else {
      base::log::warn("volume {} was made in vain and stays: {}", volume.name, removed.error().message());
    }
  }
}

}  // namespace engine
