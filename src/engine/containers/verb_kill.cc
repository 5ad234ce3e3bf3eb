#include <csignal>

#include "engine/containers/verbs.h"
#include "engine/signals.h"

namespace engine {

base::Result<std::shared_ptr<Run>> running(const ContainerPtr& container) {
  auto run = container->run();
  if (!run || !run->began() || !has_process(container->state())) {
    return base::conflict("container " + container->id() + " is not running");
  }
  return run;
}

namespace {

/// The shim has woken a paused container, so that it can act on its signal.
void note_thaw(Core& core, const ContainerPtr& container) {
  bool thawed = false;
  const auto record = container->update([&](Record& now) {
    thawed = now.state == State::Paused;
    if (thawed) now.state = State::Running;
  });
  if (!thawed) return;
  save_or_log(core, *record);
  publish(core, *record, "unpause");
}

}  // namespace

base::Result<> send_signal(Core& core, const ContainerPtr& container, int signal) {
  const auto run = TRY(running(container));
  const auto sent = run->client().signal({.signal = signal, .resume = true});
  if (!sent) {
    // Gone meanwhile: what was wanted has happened.
    if (run->exit()) return {};
    return base::Error{sent.error()};
  }
  publish(core, *container->record(), "kill", {{"signal", std::to_string(signal)}});
  note_thaw(core, container);
  return {};
}

namespace {

/// After these a restart policy does not start it again: the client wants it to end.
bool asks_for_the_end(const Record& record, int signal) {
  if (signal == SIGKILL || record.config.stop_signal.empty()) return true;
  const auto stop = parse_signal(record.config.stop_signal);
  return stop && *stop == signal;
}

}  // namespace

base::Result<> kill(Core& core, const ContainerPtr& container, const std::string& name) {
  const int signal = TRY(parse_signal(name.empty() ? "SIGKILL" : name));
  const auto record = container->record();
  TRY(advance(record->state, Step::Kill, record->id));
  if (asks_for_the_end(*record, signal)) note_stop(core, container);
  if (record->state == State::Restarting) {
    const std::lock_guard verb{container->verbs};
    return end_restarting(core, container);
  }
  const std::uint64_t runs = container->runs_over();
  TRY(send_signal(core, container, signal));
  // docker's `kill` returns when the container has gone, where the signal leaves no choice.
  if (signal == SIGKILL && !container->wait_run_over(runs, std::chrono::steady_clock::now() + kPatienceAfterKill)) {
    return base::internal("container " + container->id() +
                          " did not end after SIGKILL: one of its processes hangs in the kernel");
  }
  return {};
}

}  // namespace engine
