#include "shim/detail/supervisor.h"

#include <algorithm>
#include <csignal>

#include <malloc.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/log.h"
#include "base/time.h"
#include "shim/detail/exit_record.h"
#include "sys/crash_point.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/signals.h"

namespace shim::detail {
namespace {

using base::Result;
using namespace std::chrono_literals;

/// Output may come from processes that outlive the one that ended. Docker waits as long for it.
constexpr auto kDrain = 2s;
/// For a daemon to say that it knows of an end.
constexpr auto kAcknowledge = 1s;
constexpr auto kRetryLog = 500ms;
/// Without any event so long, buffers are given back.
constexpr auto kIdle = 250ms;

void keep_earlier(std::optional<Clock::time_point>& earliest, const std::optional<Clock::time_point>& other) {
  if (other && (!earliest || *other < *earliest)) earliest = other;
}

}  // namespace

Supervisor::Supervisor(std::string dir, Options options, EventLoop loop, sys::UniqueFd signals)
    : dir_{std::move(dir)},
      options_{std::move(options)},
      loop_{std::move(loop)},
      signals_{std::move(signals)},
      runtime_{open_runtime(dir_, options_)},
      control_{loop_, *this} {
  if (options_.health) health_ = std::make_unique<HealthMonitor>(*options_.health, *runtime_, loop_, *this);
}

Supervisor::~Supervisor() = default;

template <class Event>
void Supervisor::tell(const Event& event, const std::vector<int>& fds) {
  control_.broadcast(codec::Json::object({{"event", Event::kEvent}, {"body", codec::to_json(event)}}), fds);
}

std::string Supervisor::exit_file(const Supervised& process) const {
  return file(process.id.empty() ? std::string{files::kExit} : files::exec_exit(process.id));
}

ProcessIo::Settings Supervisor::io_settings(bool tty, bool open_stdin, bool ends_with_client) const {
  std::string spill = options_.spill_dir;
  if (spill.empty()) spill = options_.log.path.substr(0, options_.log.path.rfind('/'));
  return {tty, open_stdin, ends_with_client, spill.empty() ? dir_ : spill};
}

Result<Streams> Supervisor::make_streams(ProcessIo& io) {
  Streams streams;
  streams.tty = io.tty();
  if (streams.tty) return streams;
  auto ends = TRY(io.make_pipes());
  streams.in = std::move(ends.in);
  streams.out = std::move(ends.out);
  streams.err = std::move(ends.err);
  return streams;
}

Result<> Supervisor::on_cloned(pid_t pid) {
  init_.pid = pid;
  TRY(sys::write_file_atomic(sys::kCwd, file(files::kPid), std::to_string(pid), 0600));
  auto opened = sys::open_at(sys::kCwd, fmt::format("/proc/{}/ns/net", pid), O_RDONLY);
  // It has ended already: the runtime, which waits for it, has the reason.
  if (opened.failed_as(base::ErrorKind::NotFound)) return {};
  const sys::UniqueFd netns = TRY(std::move(opened));
  CRASH_POINT("shim.cloned");
  tell(Cloned{pid}, {netns.get()});
  return {};
}

Result<> Supervisor::create() {
  log_ = TRY(logs::Driver::open(options_.log));
  init_.io = std::make_unique<ProcessIo>(loop_, buffer_, *this,
                                         io_settings(options_.tty, options_.open_stdin, options_.stdin_once));
  init_.io->set_log(log_.get());
  Streams streams = TRY(make_streams(*init_.io));
  NewProcess made = TRY(runtime_->create(std::move(streams), [this](pid_t pid) { return on_cloned(pid); }));
  init_.pid = made.pid;
  if (options_.tty) {
    TRY(init_.io->set_terminal(std::move(made.terminal)));
    if (options_.rows != 0 && options_.columns != 0) TRY(init_.io->resize(options_.rows, options_.columns));
  }
  if (runtime_->oom_fd() >= 0) TRY(loop_.add(runtime_->oom_fd(), EPOLLIN, *this));
  status_ = Status::Created;
  CRASH_POINT("shim.created");
  tell(Created{made.pid});
  return {};
}

Result<> Supervisor::run(sys::UniqueFd connection) {
  TRY(loop_.add(signals_.get(), EPOLLIN, *this));
  TRY(control_.listen(file(files::kSocket)));
  if (connection) TRY(control_.adopt(std::move(connection)));
  if (const auto created = create(); !created) {
    const base::Error& error = created.error();
    failed(error);
    tell(CreateFailed{std::string{kind_name(error.kind())}, error.errno_value(), error.message()});
  }
  // The configuration was the largest thing this process will ever have held.
  ::malloc_trim(0);
  while (!done()) {
    const auto now = Clock::now();
    if (!TRY(loop_.run_once(next_deadline(now))) && idle_at_ && Clock::now() >= *idle_at_) idle();
    const auto then = Clock::now();
    if (buffer_.held()) idle_at_ = then + kIdle;
    if (retry_log_at_ && *retry_log_at_ <= then) retry_log();
    compress_logs();
    if (health_) health_->advance(then);
    advance(init_, then);
    for (auto& exec : execs_) advance(*exec, then);
    std::erase_if(execs_, [](const auto& exec) {
      return exec->ending == Ending::Finishing && exec->acknowledged && !exec->io->has_clients();
    });
    watch_log(then);
    control_.sweep();
  }
  return {};
}

/// Of what the log could not take: a receiver tells when it is ready, a full disk does not.
void Supervisor::watch_log(Clock::time_point now) {
  const bool waits = log_ && log_->pending() > 0;
  const int wanted = waits ? log_->writable_fd() : -1;
  if (wanted != watched_log_) {
    loop_.remove(watched_log_);
    watched_log_ = wanted >= 0 && loop_.add(wanted, EPOLLOUT, *this) ? wanted : -1;
  }
  if (waits && watched_log_ < 0 && !retry_log_at_) retry_log_at_ = now + kRetryLog;
}

void Supervisor::retry_log() {
  retry_log_at_.reset();
  loop_.remove(std::exchange(watched_log_, -1));
  if (init_.io) init_.io->retry_log();
}

void Supervisor::idle() {
  idle_at_.reset();
  buffer_.release();
  if (log_) log_->trim();
  ::malloc_trim(0);
}

/// Creation or start came to nothing. Everything is undone; what the exit status is stays.
void Supervisor::failed(const base::Error& error) {
  if (const auto destroyed = runtime_->destroy(); !destroyed) {
    base::log::error("undo the creation: {}", destroyed.error().message());
  }
  if (const auto written = write_exit(exit_file(init_), make_failure(error)); !written) {
    base::log::error("{}", written.error().message());
  }
  status_ = Status::Exited;
  over_ = true;
  if (init_.io) {
    init_.io->drain();
    init_.io->close_output();
    init_.io->finish_clients();
  }
}

void Supervisor::on_ready(int fd, std::uint32_t /*events*/) {
  if (fd == signals_.get()) return reap();
  if (fd == runtime_->oom_fd()) return notice_oom();
  if (fd == watched_log_) retry_log();
}

void Supervisor::notice_oom() {
  const auto kills = runtime_->oom_kills();
  if (!kills || *kills <= oom_kills_) return;
  oom_kills_ = *kills;
  oom_killed_ = true;
  tell(OutOfMemory{});
}

void Supervisor::reap() {
  while (true) {
    const auto signal = sys::read_signal(signals_.get());
    if (!signal || !*signal) break;
  }
  while (true) {
    const auto reaped = sys::reap_any();
    if (!reaped || !*reaped) return;
    child_ended((*reaped)->pid, (*reaped)->status);
  }
}

void Supervisor::child_ended(pid_t pid, const sys::ExitStatus& status) {
  if (pid == init_.pid && init_.ending == Ending::Running && !over_) return init_ended(status);
  if (pid == compressing_) {
    compressing_ = 0;
    return log_->compressed();
  }
  if (health_ && health_->reaped(pid, status)) return;
  const auto exec = std::ranges::find_if(
      execs_, [pid](const auto& one) { return one->pid == pid && one->ending == Ending::Running; });
  // Others are orphans of the container that this process was handed as a subreaper.
  if (exec != execs_.end()) ended(**exec, status);
}

void Supervisor::ended(Supervised& process, const sys::ExitStatus& status) {
  CRASH_POINT("shim.exited");
  process.exit = make_exit(status);
  process.exit->oom_killed = process.id.empty() && oom_killed_;
  if (process.id.empty() && health_) {
    health_->end();
    process.exit->health = health_->health();
  }
  if (const auto written = write_exit(exit_file(process), *process.exit); !written) {
    base::log::error("{}", written.error().message());
  }
  CRASH_POINT("shim.exit_recorded");
  process.ending = Ending::Draining;
  process.deadline = Clock::now() + kDrain;
}

void Supervisor::init_ended(const sys::ExitStatus& status) {
  notice_oom();
  ended(init_, status);
  status_ = Status::Exited;
  if (runtime_->oom_fd() >= 0) loop_.remove(runtime_->oom_fd());
  // Ends processes that stay behind where init has no pid namespace of its own; they hold the pipes.
  if (const auto destroyed = runtime_->destroy(); !destroyed) {
    base::log::error("remove the container: {}", destroyed.error().message());
  }
}

void Supervisor::tell_end(Supervised& process) {
  if (process.id.empty()) {
    // Daemons to come read exit.json; this process may stay for a slow client.
    control_.stop_listening();
    tell(Exited{*process.exit});
  } else {
    tell(ExecExited{process.id, *process.exit});
  }
}

void Supervisor::advance(Supervised& process, Clock::time_point now) {
  if (!process.io) return;
  const auto late = [&] { return process.deadline && *process.deadline <= now; };
  if (process.ending == Ending::Draining) {
    process.io->drain();
    // The next shim of this container rotates, too: nobody may be at its files then.
    const bool at_work = process.id.empty() && compressing_ != 0;
    if ((process.io->ended() && !at_work) || late()) {
      if (at_work) stop_compressing();
      process.io->close_output();
      if (process.io->log_stuck()) base::log::error("the log can't be written: the last output is lost");
      tell_end(process);
      process.ending = Ending::Told;
      process.deadline = now + kAcknowledge;
    }
  }
  if (process.ending == Ending::Told && (process.acknowledged || late() || !control_.has_daemon())) {
    process.io->finish_clients();
    process.ending = Ending::Finishing;
    process.deadline.reset();
  }
  process.io->sweep(now);
}

void Supervisor::compress_logs() {
  if (!log_ || compressing_ != 0) return;
  const auto file = log_->take_rotated();
  if (!file) return;
  // A process of its own, so that the container's output is not held up meanwhile.
  const auto child = sys::spawn({.path = "/proc/self/exe", .argv = {"caisson-shim", "--compress", *file}});
  if (child) {
    compressing_ = child->pid();
  } else {
    base::log::error("compress {}: {}", *file, child.error().message());
    log_->compressed();
  }
}

void Supervisor::stop_compressing() {
  if (const auto child = sys::Process::open(compressing_)) {
    base::ignore(child->signal(SIGKILL), "it may just have ended");
    base::ignore(child->wait(), "only to reap it");
  }
  compressing_ = 0;
}

bool Supervisor::done() const {
  const bool io_done = !init_.io || !init_.io->has_clients();
  if (over_) return io_done;
  if (init_.ending != Ending::Finishing || !io_done) return false;
  return std::ranges::all_of(execs_, [](const auto& exec) {
    return exec->ending == Ending::Finishing && !exec->io->has_clients();
  });
}

std::optional<Clock::time_point> Supervisor::next_deadline(Clock::time_point /*now*/) const {
  std::optional<Clock::time_point> earliest = idle_at_;
  keep_earlier(earliest, retry_log_at_);
  keep_earlier(earliest, init_.deadline);
  if (health_) keep_earlier(earliest, health_->deadline());
  if (init_.io) keep_earlier(earliest, init_.io->deadline());
  for (const auto& exec : execs_) {
    keep_earlier(earliest, exec->deadline);
    keep_earlier(earliest, exec->io->deadline());
  }
  return earliest;
}

void Supervisor::on_detached(const ProcessIo& io) {
  if (&io == init_.io.get()) return tell(Detached{});
  for (const auto& exec : execs_) {
    if (exec->io.get() == &io) tell(Detached{exec->id});
  }
}

void Supervisor::on_probe_started(const std::string& exec) { tell(ProbeStarted{exec}); }
void Supervisor::on_probe_ended(const std::string& exec, int exit_code) { tell(ProbeEnded{exec, exit_code}); }

void Supervisor::on_health(const spec::api::Health& health, bool changed) {
  tell(HealthReport{health, changed});
  CRASH_POINT("shim.health_told");
  if (!idle_at_) idle_at_ = Clock::now() + kIdle;
}

}  // namespace shim::detail
