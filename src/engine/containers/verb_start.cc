#include "base/log.h"
#include "base/scope_guard.h"
#include "engine/containers/launch.h"
#include "engine/containers/networks.h"
#include "engine/containers/shm.h"
#include "engine/containers/verbs.h"
#include "engine/containers/volumes.h"
#include "sys/crash_point.h"
#include "sys/file.h"

namespace engine {
namespace {

/// The words by which docker's clients tell 127 and 126 from other failures.
base::Error runtime_error(base::Error error) {
  if (error.message().starts_with("failed to initialize logging driver")) {
    return std::move(error).context("failed to create task for container").as(base::ErrorKind::Internal);
  }
  const int code = shim::exit_code_of_failure(error);
  const bool of_the_user = code == 126 || code == 127 || error.is(base::ErrorKind::InvalidArgument);
  return std::move(error)
      .context(
          "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create "
          "failed")
      .as(of_the_user ? base::ErrorKind::InvalidArgument : base::ErrorKind::Internal);
}

base::Result<> hand_over_attachments(const ContainerPtr& container, Run& run) {
  while (true) {
    auto pending = container->take_pending();
    if (pending.empty()) return {};
    for (PendingAttachment& one : pending) {
      // A client that has gone away is no reason not to start.
      if (const auto attached = run.client().attach(std::move(one.connection), one.attachment); !attached) {
        base::log::debug("container {}: attachment dropped: {}", container->id(), attached.error().message());
      }
    }
  }
}

/// From nothing to a process that runs; all undone on failure.
base::Result<> launch(Core& core, const ContainerPtr& container, const Record& record) {
  TRY(make_name_files(core, record));
  TRY(make_shm(core, record));
  TRY(acquire_volumes(core, record));
  base::ScopeGuard free_volumes{[&] { release_volumes(core, record); }};
  const shim::Launch launch = TRY(prepare_launch(core, record));
  const auto run = std::make_shared<Run>(core, container);
  container->set_run(run);
  bool launched = false, connected = false;
  base::ScopeGuard undo{[&] {
    run->abandon();
    if (launched) {
      base::ignore(run->client().wait_created(), "until then it takes no request");
      run->leave();
    }
    disconnect_networks(core, record, connected ? Announce::Yes : Announce::No);
    container->set_run(nullptr);
    drop_shm(core, record.id);
    base::ignore(sys::remove_tree(sys::kCwd, core.run_dir(record.id)), "the next start clears it");
  }};
  // Until the shim's first report, which may come before the start is recorded.
  container->update([&](Record& now) {
    if (!launch.options.health) return now.health.reset();
    now.health = {.status = "starting", .log = launch.options.health->log};
  });
  TRY(run->watch(TRY(shim::Client::launch(launch, *run))));
  launched = true;
  CRASH_POINT("engine.start.launched");

  // The shim is busy from here on: what needs no process is done meanwhile.
  const auto endpoints = TRY(reserve_networks(core, record));
  TRY(write_name_files(core, record, endpoints));
  CRASH_POINT("engine.start.reserved");
  auto cloned = run->client().wait_cloned();
  if (!cloned) return runtime_error(std::move(cloned).error());
  TRY(attach_networks(core, record, endpoints, cloned->netns.get()));
  connected = true;
  tell_neighbours(core, record.id, networks_of(endpoints));
  CRASH_POINT("engine.start.attached");
  auto created = run->client().wait_created();
  if (!created) return runtime_error(std::move(created).error());
  CRASH_POINT("engine.start.created");
  TRY(hand_over_attachments(container, *run));
  auto started = run->client().start();
  if (!started) return runtime_error(std::move(started).error());
  CRASH_POINT("engine.start.started");
  undo.release();
  free_volumes.release();

  std::shared_ptr<const Record> running;
  const auto exit = run->begin([&] {
    running = container->update([&](Record& now) {
      now.state = State::Running;
      now.pid = created->pid;
      now.exit_code = 0;
      now.oom_killed = false;
      now.error.clear();
      now.ending_unhealthy = false;
      now.started = base::parse_rfc3339(started->started_at).value_or(base::now());
    });
  });
  save_or_log(core, *running);
  CRASH_POINT("engine.start.recorded");
  for (const MountRecord& mount : record.mounts) {
    if (mount.type != "volume") continue;
    core.events.publish("volume", "mount", mount.name,
                        {{"driver", "local"}, {"container", record.id}, {"destination", mount.destination},
                         {"read/write", mount.writable ? "true" : "false"}, {"propagation", mount.propagation}});
  }
  publish(core, *running, "start");
  if (exit) {
    record_exit(core, *container, *exit);
    core.workers.post([&core, container, run] { finish_run(core, container, run); });
  }
  return {};
}

}  // namespace

base::Result<> start_locked(Core& core, const ContainerPtr& container) {
  const auto record = container->record();
  TRY(advance(record->state, Step::Start, record->id));
  container->clear_execs();
  core.table.remove_execs_of(record->id);
  auto launched = launch(core, container, *record);
  if (launched) return launched;
  const auto failed = container->update([&](Record& now) {
    const int code = shim::exit_code_of_failure(launched.error());
    now.exit_code = code;
    now.error = launched.error().message();
  });
  save_or_log(core, *failed);
  return launched;
}

base::Result<> start(Core& core, const ContainerPtr& container) {
  const std::lock_guard verb{container->verbs};
  if (container->removed()) return base::not_found("No such container: " + container->id());
  const auto record = container->record();
  TRY(advance(record->state, Step::Start, record->id));
  container->update([](Record& now) {
    now.stopped_by_client = false;
    now.restart_count = 0;
  });
  if (record->state == State::Restarting) {
    if (const auto timer = container->exchange_restart_timer(std::nullopt)) core.reactor.cancel(*timer);
  }
  auto started = start_locked(core, container);
  if (!started && record->host.auto_remove) {
    if (const auto removed = remove_locked(core, container, true); !removed) {
      base::log::warn("container {}: not removed after its failed start: {}", record->id, removed.error().message());
    }
  }
  return started;
}

}  // namespace engine
