#include "base/log.h"
#include "engine/containers/networks.h"
#include "engine/containers/shm.h"
#include "engine/containers/verbs.h"
#include "engine/containers/volumes.h"
#include "sys/crash_point.h"
#include "sys/file.h"

namespace engine {
namespace {

std::string run_seconds(const Record& record) {
  if (!record.started || !record.finished) return "0";
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(*record.finished - *record.started).count());
}

void publish_unmounts(Core& core, const Record& record) {
  for (const MountRecord& mount : record.mounts) {
    if (mount.type == "volume") {
      core.events.publish("volume", "unmount", mount.name, {{"driver", "local"}, {"container", record.id}});
    }
  }
}

}  // namespace

void record_exit(Core& core, Container& container, const shim::Exit& exit) {
  const bool may_restart = !container.restarting_by_client() && !core.shutting_down;
  container.update([&](Record& record) {
    if (!has_process(record.state)) return;
    record.pid = 0;
    record.exit_code = exit.code;
    record.oom_killed = record.oom_killed || exit.oom_killed;
    record.error = exit.error;
    if (exit.health) record.health = exit.health;
    record.finished = base::parse_rfc3339(exit.finished_at).value_or(base::now());
    const bool again = may_restart && restarts_after_exit(record, exit.code);
    record.state = advance(record.state, again ? Step::AwaitRestart : Step::Exit, record.id).value_or(State::Exited);
    if (again) ++record.restart_count;
    record.ending_unhealthy = false;
  });
}

void finish_run(Core& core, const ContainerPtr& container, const std::shared_ptr<Run>& run) {
  const std::lock_guard verb{container->verbs};
  if (container->run() != run) return;
  CRASH_POINT("engine.exit.seen");
  const auto record = container->record();
  disconnect_networks(core, *record);
  CRASH_POINT("engine.exit.disconnected");
  publish_unmounts(core, *record);
  release_volumes(core, *record);
  drop_shm(core, record->id);
  publish(core, *record, "die",
          {{"exitCode", std::to_string(record->exit_code)}, {"execDuration", run_seconds(*record)}});
  for (const ExecRecord& exec : container->execs()) {
    container->update_exec(exec.id, [](ExecRecord& ended) {
      if (!ended.running) return;
      ended.running = false;
      ended.exit_code = 137;
    });
  }
  container->set_run(nullptr);

  const bool removes = record->host.auto_remove && !container->restarting_by_client() && record->state == State::Exited;
  if (removes) {
    container->note_run_over();
    container->note_end(record->exit_code, record->error);
    if (const auto removed = remove_locked(core, container, true); !removed) {
      base::log::error("container {}: not removed after its exit: {}", record->id, removed.error().message());
    }
    return;
  }
  save_or_log(core, *record);
  CRASH_POINT("engine.exit.recorded");
  container->note_run_over();
  if (record->state != State::Restarting) container->note_end(record->exit_code, record->error);
  base::ignore(sys::remove_tree(sys::kCwd, core.run_dir(record->id)), "the next start or daemon clears it");
  if (record->state == State::Restarting) schedule_restart(core, container);
}

void schedule_restart(Core& core, const ContainerPtr& container) {
  const auto record = container->record();
  const auto ran = record->started && record->finished ? *record->finished - *record->started : std::chrono::nanoseconds{0};
  const auto delay = container->next_backoff(ran);
  const auto timer = core.reactor.after(delay, [&core, container] {
    core.workers.post([&core, container] {
      const std::lock_guard verb{container->verbs};
      if (container->state() != State::Restarting || core.shutting_down) return;
      container->exchange_restart_timer(std::nullopt);
      const auto started = start_locked(core, container);
      if (started) return;
      base::log::warn("container {}: restart failed: {}", container->id(), started.error().message());
      const auto ended = container->update([](Record& failed) { failed.state = State::Exited; });
      save_or_log(core, *ended);
      container->note_end(ended->exit_code, ended->error);
    });
  });
  container->exchange_restart_timer(timer);
}

}  // namespace engine
