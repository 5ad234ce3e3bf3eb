#pragma once
/// One container's supervisor: the object behind caisson-shim.
///
/// Everything happens in its loop, on one thread. After each turn, advance() moves every process on
/// its way to the end (detail/supervised.h) as far as it can go now.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "logs/driver.h"
#include "shim/detail/control.h"
#include "shim/detail/event_loop.h"
#include "shim/detail/health_monitor.h"
#include "shim/detail/oci_runtime.h"
#include "shim/detail/process_io.h"
#include "shim/detail/supervised.h"
#include "shim/protocol.h"
#include "sys/process.h"

namespace shim::detail {

class Supervisor final : public Handler,
                         public RequestHandler,
                         public ProcessIo::Listener,
                         public HealthMonitor::Listener {
 public:
  /// `signals` tells SIGCHLD.
  Supervisor(std::string dir, Options options, EventLoop loop, sys::UniqueFd signals);
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;
  ~Supervisor();

  base::Result<> run(sys::UniqueFd connection);

  void on_ready(int fd, std::uint32_t events) override;
  void on_detached(const ProcessIo& io) override;
  void on_probe_started(const std::string& exec) override;
  void on_probe_ended(const std::string& exec, int exit_code) override;
  void on_health(const spec::api::Health& health, bool changed) override;
  base::Result<codec::Json> handle(std::string_view op, const codec::Json& body,
                                   std::vector<sys::UniqueFd> fds) override;

 private:
  using Fds = std::vector<sys::UniqueFd>;
  enum class Status : std::uint8_t { Creating, Created, Running, Paused, Exited };

  template <class Request>
  base::Result<codec::Json> answer(const codec::Json& body, Fds& fds);
  template <class Event>
  void tell(const Event& event, const std::vector<int>& fds = {});

  // Requests (supervisor_requests.cc).
  base::Result<Start::Reply> on(const Start& request, Fds& fds);
  base::Result<Nothing> on(const Attach& request, Fds& fds);
  base::Result<Exec::Reply> on(const Exec& request, Fds& fds);
  base::Result<Nothing> on(const Resize& request, Fds& fds);
  base::Result<Nothing> on(const Signal& request, Fds& fds);
  base::Result<Nothing> on(const Pause& request, Fds& fds);
  base::Result<Nothing> on(const Resume& request, Fds& fds);
  base::Result<Nothing> on(const Update& request, Fds& fds);
  base::Result<Nothing> on(const CloseStdin& request, Fds& fds);
  base::Result<GetState::Reply> on(const GetState& request, Fds& fds);
  base::Result<Processes::Reply> on(const Processes& request, Fds& fds);
  base::Result<Nothing> on(const Acknowledge& request, Fds& fds);
  base::Result<Nothing> on(const Shutdown& request, Fds& fds);

  // Life (supervisor.cc).
  base::Result<> create();
  base::Result<> on_cloned(pid_t pid);
  void failed(const base::Error& error);
  void reap();
  void child_ended(pid_t pid, const sys::ExitStatus& status);
  void ended(Supervised& process, const sys::ExitStatus& status);
  void init_ended(const sys::ExitStatus& status);
  void advance(Supervised& process, Clock::time_point now);
  void tell_end(Supervised& process);
  void notice_oom();
  void watch_log(Clock::time_point now);
  void retry_log();
  void compress_logs();
  void stop_compressing();
  [[nodiscard]] bool done() const;
  [[nodiscard]] std::optional<Clock::time_point> next_deadline(Clock::time_point now) const;
  void idle();

  /// Init for "", else the exec. Errors: NotFound.
  base::Result<Supervised*> find(const std::string& exec);
  base::Result<> require_running(std::string_view what) const;
  ProcessIo::Settings io_settings(bool tty, bool open_stdin, bool ends_with_client) const;
  base::Result<Streams> make_streams(ProcessIo& io);
  [[nodiscard]] std::string file(std::string_view name) const { return dir_ + "/" + std::string{name}; }
  [[nodiscard]] std::string exit_file(const Supervised& process) const;

  const std::string dir_;
  const Options options_;
  EventLoop loop_;
  sys::UniqueFd signals_;
  ReadBuffer buffer_;
  std::unique_ptr<OciRuntime> runtime_;
  std::unique_ptr<logs::Driver> log_;
  Status status_ = Status::Creating;
  std::string started_at_;
  bool oom_killed_ = false;
  std::uint64_t oom_kills_ = 0;
  bool over_ = false;  ///< nothing was or will be run: leave
  pid_t compressing_ = 0;
  std::optional<Clock::time_point> retry_log_at_;
  int watched_log_ = -1;  ///< the log's writable_fd() while it is waited for
  std::optional<Clock::time_point> idle_at_;
  std::unique_ptr<HealthMonitor> health_;
  Supervised init_;
  std::vector<std::unique_ptr<Supervised>> execs_;
  ControlServer control_;  ///< last: its requests use all of the above
};

}  // namespace shim::detail
