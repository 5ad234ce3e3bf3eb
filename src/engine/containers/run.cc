#include "engine/containers/run.h"

#include "base/log.h"
#include "base/strings.h"
#include "engine/containers/health.h"
#include "engine/containers/verbs.h"

namespace engine {

Run::Run(Core& core, const ContainerPtr& container) : core_{core}, container_{container} {}
Run::~Run() = default;

base::Result<> Run::watch(std::unique_ptr<shim::Client> client) {
  client_ = std::move(client);
  return core_.reactor.add(client_->fd(), shared_from_this());
}

void Run::abandon() {
  const std::lock_guard lock{mutex_};
  abandoned_ = true;
}

void Run::leave() {
  if (!client_) return;
  base::ignore(client_->shutdown(), "gone already, as a rule");
  constexpr std::chrono::seconds patience{5};
  std::unique_lock lock{mutex_};
  if (!gone_.wait_for(lock, patience, [&] { return lost_; })) {
    base::log::warn("a shim whose container was given up does not leave");
  }
}

std::optional<shim::Exit> Run::begin(base::FunctionRef<void()> record) {
  const std::lock_guard lock{mutex_};
  record();
  began_ = true;
  return exit_;
}

bool Run::began() const {
  const std::lock_guard lock{mutex_};
  return began_;
}

std::optional<shim::Exit> Run::exit() const {
  const std::lock_guard lock{mutex_};
  return exit_;
}

void Run::on_exited(const shim::Exit& exit) {
  bool began = false;
  {
    const std::lock_guard lock{mutex_};
    if (abandoned_ || exit_) return;
    exit_ = exit;
    began = began_;
  }
  // Before begin() the start verb still has the word, and finds the exit there.
  if (began) over(exit);
}

void Run::over(const shim::Exit& exit) {
  const ContainerPtr container = container_.lock();
  if (!container) return;
  record_exit(core_, *container, exit);
  core_.workers.post([&core = core_, container, self = shared_from_this()] { finish_run(core, container, self); });
}

void Run::on_exec_exited(const std::string& exec, const shim::Exit& exit) {
  if (const ContainerPtr container = container_.lock()) record_exec_exit(core_, *container, exec, exit);
}

void Run::on_oom() {
  const ContainerPtr container = container_.lock();
  if (!container) return;
  publish(core_, *container->update([](Record& record) { record.oom_killed = true; }), "oom");
}

void Run::on_detached(const std::string& exec) {
  const ContainerPtr container = container_.lock();
  if (!container) return;
  if (exec.empty()) {
    publish(core_, *container->record(), "detach");
  } else {
    publish(core_, *container->record(), "exec_detach", {{"execID", exec}});
  }
}

void Run::on_probe_started(const std::string& exec) {
  if (const ContainerPtr container = container_.lock()) publish_probe_start(core_, *container->record(), exec);
}

void Run::on_probe_ended(const std::string& exec, int code) {
  if (const ContainerPtr container = container_.lock()) publish_probe_end(core_, *container->record(), exec, code);
}

void Run::on_health(const shim::HealthReport& report) {
  {
    const std::lock_guard lock{mutex_};
    if (abandoned_ || exit_) return;
  }
  const ContainerPtr container = container_.lock();
  if (container) take_health(core_, container, shared_from_this(), report.health, report.changed);
}

void Run::on_lost() {
  {
    const std::lock_guard lock{mutex_};
    lost_ = true;
    gone_.notify_all();
    if (!began_ || abandoned_ || exit_) return;
  }
  // The shim was killed, and its container with it. Clearing up takes a while.
  const ContainerPtr container = container_.lock();
  if (!container) return;
  core_.workers.post([this, &core = core_, container, self = shared_from_this()] {
    auto exit = shim::bury(core.run_dir(container->id()));
    if (!exit) {
      base::log::error("container {}: its shim is gone, and so is what it knew: {}", container->id(),
                       exit.error().message());
      exit = shim::Exit{.code = 137, .signal = 9, .finished_at = base::to_rfc3339(base::now()),
                        .error = "the container's shim was killed"};
    }
    {
      const std::lock_guard lock{mutex_};
      if (exit_) return;
      exit_ = *exit;
    }
    record_exit(core, *container, *exit);
    finish_run(core, container, self);
  });
}

}  // namespace engine
