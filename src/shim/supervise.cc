#include "shim/supervise.h"

#include <csignal>

#include <malloc.h>
#include <unistd.h>

#include "base/log.h"
#include "shim/detail/supervisor.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/signals.h"

namespace shim {
namespace {

using base::Result;

/// From here on no terminal and no session can end this process, only SIGKILL and its own end.
Result<sys::UniqueFd> take_signals() {
  sys::ignore_signals({SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGUSR1, SIGUSR2, SIGALRM, SIGTTOU, SIGTTIN});
  TRY(sys::block_signals({SIGCHLD}));
  sigset_t wanted;
  ::sigemptyset(&wanted);
  ::sigaddset(&wanted, SIGCHLD);
  return sys::make_signal_fd(wanted, O_NONBLOCK);
}

/// stdin and stdout are nothing, stderr is the shim's log.
Result<> redirect(const std::string& dir) {
  const sys::UniqueFd null = TRY(sys::open_at(sys::kCwd, "/dev/null", O_RDWR));
  const sys::UniqueFd log = TRY(sys::open_at(sys::kCwd, dir + "/" + std::string{files::kLog},
                                             O_WRONLY | O_CREAT | O_APPEND, 0600));
  TRY(sys::duplicate_onto(null.get(), STDIN_FILENO));
  TRY(sys::duplicate_onto(null.get(), STDOUT_FILENO));
  return sys::duplicate_onto(log.get(), STDERR_FILENO);
}

}  // namespace

Result<> supervise(const std::string& dir, int connection) {
  // Small, and given back: there is one of these processes per container.
  ::mallopt(M_ARENA_MAX, 1);
  ::mallopt(M_MMAP_THRESHOLD, 64 * 1024);
  ::mallopt(M_TRIM_THRESHOLD, 64 * 1024);
  ::mallopt(M_TOP_PAD, 0);
  sys::UniqueFd daemon{connection};
  if (daemon) TRY(sys::set_cloexec(daemon.get(), true));
  TRY(redirect(dir));
  sys::UniqueFd signals = TRY(take_signals());
  TRY(sys::become_subreaper());
  const std::string text = TRY(sys::read_file(sys::kCwd, dir + "/" + std::string{files::kOptions}));
  auto options = TRY(codec::from_json_text<Options>(text).context("shim.json"));
  TRY(sys::write_file_atomic(sys::kCwd, dir + "/" + std::string{files::kShimPid}, std::to_string(::getpid()), 0600));
  detail::EventLoop loop = TRY(detail::EventLoop::create());
  detail::Supervisor supervisor{dir, std::move(options), std::move(loop), std::move(signals)};
  return supervisor.run(std::move(daemon));
}

}  // namespace shim
