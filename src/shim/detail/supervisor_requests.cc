/// What daemons ask for.
#include <algorithm>
#include <array>
#include <csignal>

#include <unistd.h>

#include "base/log.h"
#include "base/time.h"
#include "shim/detail/supervisor.h"
#include "sys/crash_point.h"
#include "sys/file.h"

namespace shim::detail {
namespace {

using base::Result;

constexpr std::array<std::string_view, 5> kStatusNames{"creating", "created", "running", "paused", "exited"};

}  // namespace

template <class Request>
Result<codec::Json> Supervisor::answer(const codec::Json& body, Fds& fds) {
  const auto request = TRY(codec::from_json<Request>(body));
  return codec::to_json(TRY(on(request, fds)));
}

Result<codec::Json> Supervisor::handle(std::string_view op, const codec::Json& body, Fds fds) {
  struct Entry {
    std::string_view op;
    Result<codec::Json> (Supervisor::*answer)(const codec::Json&, Fds&);
  };
  static constexpr std::array<Entry, 13> kRequests{{
      {Start::kOp, &Supervisor::answer<Start>},
      {Attach::kOp, &Supervisor::answer<Attach>},
      {Exec::kOp, &Supervisor::answer<Exec>},
      {Resize::kOp, &Supervisor::answer<Resize>},
      {Signal::kOp, &Supervisor::answer<Signal>},
      {Pause::kOp, &Supervisor::answer<Pause>},
      {Resume::kOp, &Supervisor::answer<Resume>},
      {Update::kOp, &Supervisor::answer<Update>},
      {CloseStdin::kOp, &Supervisor::answer<CloseStdin>},
      {GetState::kOp, &Supervisor::answer<GetState>},
      {Processes::kOp, &Supervisor::answer<Processes>},
      {Acknowledge::kOp, &Supervisor::answer<Acknowledge>},
      {Shutdown::kOp, &Supervisor::answer<Shutdown>},
  }};
  const auto* found = std::ranges::find(kRequests, op, &Entry::op);
  if (found == kRequests.end()) return base::not_implemented("the shim does not know the request " + std::string{op});
  return (this->*found->answer)(body, fds);
}

Result<Supervised*> Supervisor::find(const std::string& exec) {
  if (exec.empty()) return &init_;
  const auto found = std::ranges::find_if(execs_, [&](const auto& one) { return one->id == exec; });
  if (found == execs_.end()) return base::not_found("No such exec instance: " + exec);
  return found->get();
}

Result<> Supervisor::require_running(std::string_view what) const {
  if (status_ == Status::Running) return {};
  const auto status = kStatusNames[static_cast<std::size_t>(status_)];
  return base::conflict(std::string{what} + ": the container is " + std::string{status});
}

Result<Start::Reply> Supervisor::on(const Start& /*request*/, Fds& /*fds*/) {
  if (status_ != Status::Created) return base::conflict("start: the container was started before");
  if (auto started = runtime_->start(); !started) {
    failed(started.error());
    return std::move(started).error();
  }
  CRASH_POINT("shim.started");
  status_ = Status::Running;
  started_at_ = base::to_rfc3339(base::now());
  if (health_) health_->begin(init_.pid, Clock::now());
  return Start::Reply{started_at_};
}

Result<Nothing> Supervisor::on(const Attach& request, Fds& fds) {
  if (fds.empty()) return base::invalid("attach: no connection came with the request");
  if (over_ || !init_.io || init_.ending >= Ending::Told) return base::conflict("attach: the container has exited");
  TRY(init_.io->attach(std::move(fds.front()), request.attachment, &options_.log));
  return Nothing{};
}

Result<Exec::Reply> Supervisor::on(const Exec& request, Fds& fds) {
  TRY(require_running("exec"));
  if (request.attachment && fds.empty()) return base::invalid("exec: no connection came with the request");
  if (request.id.empty() || request.id.find('/') != std::string::npos) return base::invalid("exec: no valid id");
  if (find(request.id)) return base::conflict("exec: the id is in use: " + request.id);
  const bool tty = request.process["terminal"].as_bool();
  auto exec = std::make_unique<Supervised>();
  exec->id = request.id;
  exec->note = request.note;
  exec->io = std::make_unique<ProcessIo>(loop_, buffer_, *this, io_settings(tty, request.open_stdin, true));
  Streams streams = TRY(make_streams(*exec->io));
  auto made = TRY(runtime_->exec(request.id, request.process, std::move(streams)));
  exec->pid = made.pid;
  CRASH_POINT("shim.exec_made");
  execs_.push_back(std::move(exec));
  Supervised& kept = *execs_.back();
  if (tty) TRY(kept.io->set_terminal(std::move(made.terminal)));
  // No output was read yet, so the client misses none.
  if (request.attachment) TRY(kept.io->attach(std::move(fds.front()), *request.attachment, nullptr));
  return Exec::Reply{kept.pid};
}

Result<Nothing> Supervisor::on(const Resize& request, Fds& /*fds*/) {
  Supervised* process = TRY(find(request.exec));
  if (!process->io) return base::conflict("resize: the container has exited");
  TRY(process->io->resize(request.rows, request.columns));
  return Nothing{};
}

Result<Nothing> Supervisor::on(const Signal& request, Fds& /*fds*/) {
  Supervised* process = TRY(find(request.exec));
  if (process->exit || over_ || process->pid <= 0) return base::conflict("kill: the process has exited");
  if (!request.exec.empty()) {
    const sys::Process target = TRY(sys::Process::open(process->pid));
    TRY(target.signal(request.signal));
    return Nothing{};
  }
  TRY(runtime_->kill(request.signal, request.all));
  // A frozen process can't act on any signal, on cgroup v1 not even on SIGKILL.
  if (status_ == Status::Paused && (request.resume || request.signal == SIGKILL)) {
    base::ignore(runtime_->resume(), "some runtimes thaw it themselves for SIGKILL");
    status_ = Status::Running;
    if (health_) health_->resume(Clock::now());
  }
  return Nothing{};
}

Result<Nothing> Supervisor::on(const Pause& /*request*/, Fds& /*fds*/) {
  TRY(require_running("pause"));
  TRY(runtime_->pause());
  status_ = Status::Paused;
  if (health_) health_->suspend();
  return Nothing{};
}

Result<Nothing> Supervisor::on(const Resume& /*request*/, Fds& /*fds*/) {
  if (status_ != Status::Paused) return base::conflict("resume: the container is not paused");
  TRY(runtime_->resume());
  status_ = Status::Running;
  if (health_) health_->resume(Clock::now());
  return Nothing{};
}

Result<Nothing> Supervisor::on(const Update& request, Fds& /*fds*/) {
  if (status_ == Status::Exited) return base::conflict("update: the container has exited");
  TRY(runtime_->update(request.resources));
  return Nothing{};
}

Result<Nothing> Supervisor::on(const CloseStdin& request, Fds& /*fds*/) {
  Supervised* process = TRY(find(request.exec));
  if (process->io) process->io->close_stdin();
  return Nothing{};
}

Result<GetState::Reply> Supervisor::on(const GetState& /*request*/, Fds& /*fds*/) {
  GetState::Reply state;
  state.protocol = kProtocolVersion;
  state.status = kStatusNames[static_cast<std::size_t>(status_)];
  state.pid = init_.pid;
  state.shim_pid = ::getpid();
  state.started_at = started_at_;
  state.oom_killed = oom_killed_;
  state.exit = init_.exit;
  if (health_) state.health = health_->health();
  for (const auto& exec : execs_) {
    if (!exec->acknowledged) state.execs.push_back({exec->id, exec->pid, exec->exit, exec->note});
  }
  return state;
}

Result<Processes::Reply> Supervisor::on(const Processes& /*request*/, Fds& /*fds*/) {
  if (status_ == Status::Exited) return base::conflict("top: the container has exited");
  return Processes::Reply{TRY(runtime_->processes())};
}

Result<Nothing> Supervisor::on(const Acknowledge& request, Fds& /*fds*/) {
  Supervised* process = TRY(find(request.exec));
  if (!process->exit) return base::conflict("acknowledge: the process runs");
  process->acknowledged = true;
  if (!process->id.empty()) base::ignore(sys::unlink_at(sys::kCwd, exit_file(*process)), "acknowledged twice");
  return Nothing{};
}

Result<Nothing> Supervisor::on(const Shutdown& /*request*/, Fds& /*fds*/) {
  if (status_ != Status::Created) return base::conflict("shutdown: the container was started");
  TRY(runtime_->destroy());
  status_ = Status::Exited;
  over_ = true;
  if (init_.io) {
    init_.io->close_output();
    init_.io->finish_clients();
  }
  return Nothing{};
}

}  // namespace shim::detail
