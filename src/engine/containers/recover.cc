#include "engine/containers/recover.h"

#include <algorithm>
#include <csignal>

#include "base/log.h"
#include "engine/containers/health.h"
#include "engine/containers/image_mounts.h"
#include "engine/containers/networks.h"
#include "engine/containers/shm.h"
#include "engine/containers/verbs.h"
#include "engine/containers/volumes.h"
#include "sys/file.h"

namespace engine {
namespace {

constexpr std::chrono::seconds kPatience{5};

bool is_container_id(std::string_view name) {
  return name.size() == 64 && name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// How far the tasks are, for the thread that opens the engine.
struct Progress {
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t left = 0;
};

base::Result<std::vector<Record>> load(Core& core) {
  std::vector<Record> records;
  TRY(core.database.read([&](state::Reader& reader) -> base::Result<> {
    return reader.select("SELECT id, json FROM containers ORDER BY created", {}, [&](const state::Row& row) -> base::Result<> {
      auto record = from_row(row.text(1));
      if (record) {
        records.push_back(*std::move(record));
      } else {
        base::log::error("container {}: its record can't be read and is left alone: {}", row.text(0),
                         record.error().message());
      }
      return {};
    });
  }));
  return records;
}

/// The end of a run that no daemon saw, on the way that every end takes.
void report_exit(Core& core, const ContainerPtr& container, const std::shared_ptr<Run>& run, const shim::Exit& exit) {
  base::log::info("container {} ended with {} while no daemon was there", container->id(), exit.code);
  container->set_run(run);
  // The row may be older than the start that this is the end of.
  container->update([&](Record& record) {
    if (!has_process(record.state)) record.state = State::Running;
  });
  record_exit(core, *container, exit);
  core.workers.post([&core, container, run] { finish_run(core, container, run); });
}

void give_up_start(Core& core, const ContainerPtr& container, Run& run) {
  base::log::info("container {}: its start was interrupted", container->id());
  run.abandon();
  run.leave();
  const auto record = container->record();
  disconnect_networks(core, *record, Announce::No);
  release_volumes(core, *record);
  drop_shm(core, record->id);
  container->set_run(nullptr);
  base::ignore(sys::remove_tree(sys::kCwd, core.run_dir(record->id)), "the next start clears it");
}

void adopt_running(Core& core, const ContainerPtr& container, const std::shared_ptr<Run>& run,
                   const shim::GetState::Reply& found) {
  const auto before = container->record();
  if (const auto held = acquire_volumes(core, *before); !held) {
    base::log::warn("container {}: {}", before->id, held.error().message());
  }
  std::shared_ptr<const Record> record;
  const auto exit = run->begin([&] {
    record = container->update([&](Record& now) {
      now.state = found.status == "paused" ? State::Paused : State::Running;
      now.pid = found.pid;
      now.oom_killed = found.oom_killed;
      if (!has_process(before->state) || !now.started) {
        now.started = base::parse_rfc3339(found.started_at).value_or(base::now());
        now.exit_code = 0;
        now.error.clear();
      }
    });
  });
  for (const shim::ExecState& exec : found.execs) {
    // A shim of before knows no note; what it says is only shown.
    auto config = codec::from_json<spec::api::ExecConfig>(exec.note);
    container->put_exec({.id = exec.id, .container = record->id,
                         .config = config ? *std::move(config) : spec::api::ExecConfig{},
                         .started = true, .running = !exec.exit,
                         .pid = exec.pid,
                         .exit_code = exec.exit ? std::optional<std::int64_t>{exec.exit->code} : std::nullopt});
    core.table.add_exec(exec.id, record->id);
  }
  if (found.health) {
    // What it reported since this connection was made is no older, and told again in the next report.
    const bool changed = !before->health || before->health->status != found.health->status;
    take_health(core, container, run, *found.health, changed);
  }
  container->take_pending();  // opens the way for attachments to the shim
  if (!has_process(before->state) || before->state != record->state) save_or_log(core, *record);
  if (exit) {
    record_exit(core, *container, *exit);
    core.workers.post([&core, container, run] { finish_run(core, container, run); });
  }
}

/// Under the verb lock.
base::Result<> find_out(Core& core, const ContainerPtr& container) {
  const std::string dir = core.run_dir(container->id());
  const auto run = std::make_shared<Run>(core, container);
  if (const auto exit = TRY(shim::read_exit(dir))) {
    report_exit(core, container, run, *exit);
    return {};
  }
  auto client = shim::Client::adopt(dir, *run);
  if (!client) {
    // It may just have left; else it was killed, and its container with it.
    auto exit = TRY(shim::read_exit(dir));
    if (!exit && !has_process(container->state())) {
      TRY(sys::remove_tree(sys::kCwd, dir));
      return {};
    }
    if (!exit) exit = TRY(shim::bury(dir));
    report_exit(core, container, run, *exit);
    return {};
  }
  container->set_run(run);
  TRY(run->watch(*std::move(client)));
  const auto found = TRY(run->client().state());
  if (found.exit) {
    report_exit(core, container, run, *found.exit);
  } else if (found.status == "running" || found.status == "paused") {
    adopt_running(core, container, run, found);
  } else {
    give_up_start(core, container, *run);
  }
  return {};
}

void recover_one(Core& core, const ContainerPtr& container) {
  const std::lock_guard verb{container->verbs};
  const auto record = container->record();
  const bool has_run_dir = sys::exists(sys::kCwd, core.run_dir(record->id)).value_or(false);
  if (has_run_dir) {
    if (const auto found = find_out(core, container); !found) {
      base::log::error("container {}: not taken over: {}", record->id, found.error().message());
    }
  } else if (has_process(record->state)) {
    // The machine was restarted: its process is gone and left no word.
    const auto run = std::make_shared<Run>(core, container);
    report_exit(core, container, run, {.code = 255, .finished_at = base::to_rfc3339(base::now())});
  }
  const auto now = container->record();
  if (container->run()) return;
  if (now->state == State::Removing) {
    container->update([](Record& stuck) { stuck.state = State::Dead; });
  } else if (now->state == State::Restarting) {
    schedule_restart(core, container);
  } else if (restarts_with_daemon(*now)) {
    core.workers.post([&core, container] {
      const std::lock_guard lock{container->verbs};
      if (container->state() != State::Exited) return;
      if (const auto started = start_locked(core, container); !started) {
        base::log::warn("container {}: not started again: {}", container->id(), started.error().message());
      }
    });
  }
}

/// A run directory whose container has no row: whatever still runs in it is nobody's.
void clear_run_dir(Core& core, const std::string& id) {
  const std::string dir = core.run_dir(id);
  base::log::info("removing {}, whose container has no record", dir);
  const auto run = std::make_shared<Run>(core, nullptr);
  if (auto client = shim::Client::adopt(dir, *run)) {
    run->abandon();
    if (run->watch(*std::move(client))) {
      base::ignore(run->client().signal({.signal = SIGKILL, .all = true}), "it may not have been started");
      run->leave();
    }
  } else {
    base::ignore(shim::bury(dir), "what is not dead stays, and so does the directory");
  }
  if (const auto removed = sys::remove_tree(sys::kCwd, dir); !removed) {
    base::log::warn("{}", removed.error().message());
  }
}

void collect_garbage(Core& core) {
  const auto known = [&](const std::string& id) { return core.table.find(id).has_value(); };
  if (const auto runs = sys::list_dir(sys::kCwd, core.options.exec_root + "/containers")) {
    for (const sys::DirEntry& entry : *runs) {
      if (is_container_id(entry.name) && !known(entry.name)) clear_run_dir(core, entry.name);
    }
  }
  if (const auto mounts = sys::list_dir(sys::kCwd, core.options.exec_root + "/shm")) {
    for (const sys::DirEntry& entry : *mounts) {
      if (!known(entry.name)) drop_shm(core, entry.name);
    }
  }
  if (const auto images = sys::list_dir(sys::kCwd, core.options.exec_root + "/images")) {
    for (const sys::DirEntry& entry : *images) {
      if (!known(entry.name)) drop_image_mounts(core, entry.name);
    }
  }
  for (const std::string& root : {core.options.data_root + "/containers", core.options.exec_root + "/names"}) {
    const auto dirs = sys::list_dir(sys::kCwd, root);
    if (!dirs) continue;
    for (const sys::DirEntry& entry : *dirs) {
      if (!is_container_id(entry.name) || known(entry.name)) continue;
      base::ignore(sys::remove_tree(sys::kCwd, root + "/" + entry.name), "the next start tries again");
    }
  }
  collect_noted_volumes(core);
  const auto snapshots = core.snapshots.list();
  if (!snapshots) {
    base::log::warn("snapshots not checked: {}", snapshots.error().message());
    return;
  }
  for (const snapshot::Info& info : *snapshots) {
    if (info.kind != snapshot::Kind::Writable || !is_container_id(info.key) || known(info.key)) continue;
    if (const auto removed = core.snapshots.remove(info.key); !removed) {
      base::log::warn("snapshot {} stays: {}", info.key, removed.error().message());
    }
  }
}

}  // namespace

base::Result<> recover(Core& core) {
  std::vector<ContainerPtr> containers;
  for (Record& record : TRY(load(core))) {
    const auto container = std::make_shared<Container>(std::move(record));
    TRY(core.table.reserve_name(container->record()->name, container->id()));
    core.table.add(container);
    containers.push_back(container);
  }
  collect_garbage(core);

  const auto progress = std::make_shared<Progress>();
  progress->left = containers.size();
  for (const ContainerPtr& container : containers) {
    core.workers.post([&core, container, progress] {
      recover_one(core, container);
      const std::lock_guard lock{progress->mutex};
      --progress->left;
      progress->changed.notify_all();
    });
  }
  std::unique_lock lock{progress->mutex};
  if (!progress->changed.wait_for(lock, kPatience, [&] { return progress->left == 0; })) {
    base::log::warn("{} containers' shims have not answered yet; requests about them will wait", progress->left);
  }
  lock.unlock();

  // Addresses that nobody has any more: of containers that were removed, or ended with the machine.
  std::vector<base::ContainerId> live;
  for (const ContainerPtr& container : containers) {
    if (counts_as_running(container->state()) || container->run()) live.emplace_back(container->id());
  }
  TRY(core.network.recover(live));
  tell_all_neighbours(core);
  core.volumes.release_unused();
  return {};
}

}  // namespace engine
