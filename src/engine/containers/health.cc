#include "engine/containers/health.h"

#include "base/log.h"
#include "base/strings.h"
#include "engine/containers/launch.h"
#include "engine/containers/verbs.h"
#include "engine/health_check.h"

namespace engine {
namespace {

constexpr std::string_view kUnhealthy = "unhealthy";

std::string command_text_of(const Record& record) { return base::join(health_command(record.config), " "); }

/// On a worker. The end that it brings about is one that restarts_after_exit() says yes to.
void end_unhealthy(Core& core, const ContainerPtr& container, const std::shared_ptr<Run>& run) {
  const bool same_run = container->run() == run;
  bool ends = false;
  const auto record = container->update([&](Record& now) {
    const bool still = now.state == State::Running && now.health && now.health->status == kUnhealthy;
    ends = still && !now.stopped_by_client && same_run;
    now.ending_unhealthy = now.ending_unhealthy || ends;
  });
  if (!ends) return;
  // The next daemon finds the exit, should this one die before it comes.
  save_or_log(core, *record);
  base::log::info("container {} is unhealthy and is restarted", record->id);
  if (const auto stopped = stop_running(core, container, {}); !stopped) {
    base::log::warn("container {}: unhealthy, and not stopped: {}", record->id, stopped.error().message());
  }
}

}  // namespace

base::Result<std::optional<shim::HealthCheck>> prepare_health(Core& core, const Record& record) {
  auto check = TRY(parse_health_check(record.config));
  if (!check) return check;
  if (record.health) check->log = record.health->log;
  const auto command = health_command(record.config);
  if (command.empty()) return check;
  spec::api::ExecConfig exec;
  exec.attach_stdout = exec.attach_stderr = true;
  exec.cmd = command;
  check->process = codec::to_json(TRY(prepare_exec(core, record, exec))).dump();
  return check;
}

void publish_probe_start(Core& core, const Record& record, const std::string& exec) {
  const std::string command = command_text_of(record);
  publish(core, record, "exec_create: " + command, {{"execID", exec}});
  publish(core, record, "exec_start: " + command, {{"execID", exec}});
}

void publish_probe_end(Core& core, const Record& record, const std::string& exec, int code) {
  publish(core, record, "exec_die", {{"execID", exec}, {"exitCode", std::to_string(code)}});
}

void take_health(Core& core, const ContainerPtr& container, const std::shared_ptr<Run>& run,
                 const spec::api::Health& health, bool changed) {
  const auto record = container->update([&](Record& now) { now.health = health; });
  if (!changed) return;
  publish(core, *record, "health_status: " + health.status);
  core.workers.post([&core, container] {
    const std::lock_guard verb{container->verbs};
    if (!container->removed()) save_or_log(core, *container->record());
  });
  if (!record->host.health_restart || health.status != kUnhealthy) return;
  core.workers.post([&core, container, run] {
    if (!core.shutting_down) end_unhealthy(core, container, run);
  });
}

std::string health_status(const Record& record) {
  return record.health && has_process(record.state) ? record.health->status : "none";
}

}  // namespace engine
