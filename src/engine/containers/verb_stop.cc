#include <csignal>

#include "engine/containers/verbs.h"
#include "engine/signals.h"
#include "sys/crash_point.h"

namespace engine {
namespace {

base::Result<int> stop_signal(const Record& record, const std::string& asked) {
  if (!asked.empty()) return parse_signal(asked);
  if (!record.config.stop_signal.empty()) return parse_signal(record.config.stop_signal);
  return SIGTERM;
}

std::optional<std::chrono::steady_clock::time_point> deadline(const Core& core, const Record& record,
                                                              const StopOptions& options) {
  const std::int64_t seconds =
      options.timeout ? options.timeout->count()
                      : record.config.stop_timeout.value_or(core.live.now()->options.default_stop_timeout);
  if (seconds < 0) return std::nullopt;
  return std::chrono::steady_clock::now() + std::chrono::seconds{seconds};
}

}  // namespace

void note_stop(Core& core, const ContainerPtr& container) {
  const auto record = container->update([](Record& now) { now.stopped_by_client = true; });
  if (!record->host.restart_policy.name.empty() && record->host.restart_policy.name != "no") save_or_log(core, *record);
}

base::Result<> end_restarting(Core& core, const ContainerPtr& container) {
  if (container->state() != State::Restarting) return {};  // it was started, or given up, meanwhile
  if (const auto timer = container->exchange_restart_timer(std::nullopt)) core.reactor.cancel(*timer);
  const auto record = container->update([](Record& now) { now.state = State::Exited; });
  save_or_log(core, *record);
  container->note_end(record->exit_code, record->error);
  container->note_rest();
  return {};
}

base::Result<> stop_running(Core& core, const ContainerPtr& container, const StopOptions& options) {
  const auto record = container->record();
  const int signal = TRY(stop_signal(*record, options.signal));
  if (record->state == State::Restarting) {
    const std::lock_guard verb{container->verbs};
    TRY(end_restarting(core, container));
    if (!counts_as_running(container->state())) return {};
  }
  const std::uint64_t runs = container->runs_over();
  const auto until = deadline(core, *record, options);
  const auto sent = send_signal(core, container, signal);
  if (!sent && !sent.error().is(base::ErrorKind::Conflict)) return sent;
  if (!sent) {  // it ended by itself just now
    container->wait_run_over(runs, std::chrono::steady_clock::now() + std::chrono::seconds{1});
    return {};
  }
  CRASH_POINT("engine.stop.signalled");
  if (container->wait_run_over(runs, until)) return {};
  if (const auto killed = send_signal(core, container, SIGKILL);
      !killed && !killed.error().is(base::ErrorKind::Conflict)) {
    return killed;
  }
  if (container->wait_run_over(runs, std::chrono::steady_clock::now() + kPatienceAfterKill)) return {};
  return base::internal("container " + record->id +
                        " did not end after SIGKILL: one of its processes hangs in the kernel");
}

base::Result<> stop(Core& core, const ContainerPtr& container, const StopOptions& options) {
  const auto record = container->record();
  TRY(advance(record->state, Step::Stop, record->id));
  if (!options.signal.empty()) TRY(parse_signal(options.signal));
  note_stop(core, container);
  auto stopped = stop_running(core, container, options);
  if (!stopped) return std::move(stopped).context("cannot stop container: " + record->id);
  publish(core, *container->record(), "stop");
  return {};
}

}  // namespace engine
