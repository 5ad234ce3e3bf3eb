#include <csignal>

#include "base/log.h"
#include "base/scope_guard.h"
#include "engine/containers/networks.h"
#include "engine/containers/verbs.h"
#include "engine/containers/volumes.h"
#include "sys/crash_point.h"

namespace engine {
namespace {

void remove_anonymous_volumes(Core& core, const Record& record) {
  for (const MountRecord& mount : record.mounts) {
    if (mount.type != "volume" || !mount.anonymous || is_used_elsewhere(core, mount.name, record.id)) continue;
    if (const auto removed = core.volumes.remove(mount.name); removed) {
      core.events.publish("volume", "destroy", mount.name, {{"driver", "local"}});
    } else if (!removed.error().is(base::ErrorKind::NotFound)) {
      base::log::warn("container {}: its volume {} stays: {}", record.id, mount.name, removed.error().message());
    }
  }
}

/// The layers of an image that was removed by force stay as long as a container stands on them.
void collect_image_later(Core& core, const std::string& image) {
  core.workers.post([&core, image] {
    const auto found = core.images.get(image);
    if (found || !found.error().is(base::ErrorKind::NotFound)) return;
    if (const auto collected = core.images.collect(); !collected) {
      base::log::warn("layers of image {} stay until the next start: {}", image, collected.error().message());
    }
  });
}

}  // namespace

base::Result<> remove_locked(Core& core, const ContainerPtr& container, bool volumes) {
  const auto record = container->record();
  const State before = record->state;
  const State removing = TRY(advance(before, Step::Remove, record->id));
  container->update([&](Record& now) { now.state = removing; });
  disconnect_networks(core, *record, Announce::No);

  // A full disk is a reason to remove, not one against it.
  if (volumes) base::ignore(note_volumes(core, *record), "then a crash in the next moments leaves them");
  base::ScopeGuard forget_volumes{[&] { forget_noted_volumes(core, *record); }};
  // The row goes first: what a crash leaves behind it is garbage without a record, which the next start
  // collects. The other way round there would be a container without its files.
  if (auto erased = erase(core, record->id); !erased) {
    container->update([&](Record& now) { now.state = before; });
    return erased;
  }
  CRASH_POINT("engine.remove.recorded");
  if (const auto removed = core.snapshots.remove(record->id); !removed) {
    const auto dead = container->update([&](Record& now) {
      now.state = advance(now.state, Step::RemoveFailed, now.id).value_or(State::Dead);
      now.error = removed.error().message();
    });
    if (const auto kept = insert(core, *dead); !kept) base::log::error("{}", kept.error().message());
    return base::internal("container " + record->id + ": driver \"" + record->snapshotter +
                          "\" failed to remove root filesystem: " + removed.error().message());
  }
  CRASH_POINT("engine.remove.snapshot");
  core.table.remove(*container);
  core.table.remove_execs_of(record->id);
  if (volumes) remove_anonymous_volumes(core, *record);
  CRASH_POINT("engine.remove.volumes");
  publish(core, *record, "destroy");
  container->note_removed();
  remove_files_later(core, record->id);
  collect_image_later(core, record->image_id);
  return {};
}

base::Result<> remove(Core& core, const ContainerPtr& container, const RemoveOptions& options) {
  const std::string name = container->record()->name;
  const auto intent = [&](base::Error error) {
    return std::move(error).context("cannot remove container \"" + name + "\"");
  };
  std::unique_lock verb{container->verbs, std::defer_lock};
  // Until nobody has started it between its end and the lock: a restart policy, the daemon's own start, another client.
  while (true) {
    if (options.force && counts_as_running(container->state())) {
      container->update([](Record& now) { now.stopped_by_client = true; });
      auto killed = stop_running(core, container, {.signal = "SIGKILL", .timeout = kPatienceAfterKill});
      if (!killed) return intent(std::move(killed).error());
    }
    verb.lock();
    if (!options.force || !counts_as_running(container->state())) break;
    verb.unlock();
  }
  finish_last_run(core, container);
  if (container->removed()) {
    if (container->record()->host.auto_remove) return {};  // its exit was quicker than this request
    return base::not_found("No such container: " + name);
  }
  auto removed = remove_locked(core, container, options.volumes);
  if (removed) return removed;
  // This one's words name the container themselves.
  if (container->state() == State::Removing) return removed;
  return intent(std::move(removed).error());
}

}  // namespace engine
