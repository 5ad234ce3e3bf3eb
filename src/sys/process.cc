#include "sys/process.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include <linux/sched.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/scope_guard.h"
#include "base/strings.h"
#include "sys/detail/close_one_by_one.h"
#include "sys/detail/retry.h"
#include "sys/file.h"

namespace sys {

using base::Error;
using base::Result;
using detail::retry;

namespace {

constexpr int kPidfdIdType = 3;  // P_PIDFD, which older headers lack

Result<siginfo_t> wait_for(int pidfd, int flags) {
  siginfo_t info{};
  const auto id = static_cast<id_t>(pidfd);
  if (retry([&] { return ::waitid(static_cast<idtype_t>(kPidfdIdType), id, &info, WEXITED | flags); }) < 0) {
    return Error::from_errno(errno, "wait for a process");
  }
  return info;
}

ExitStatus status_of(const siginfo_t& info) {
  if (info.si_code == CLD_EXITED) return ExitStatus::exited(info.si_status);
  return ExitStatus::killed(info.si_status, info.si_code == CLD_DUMPED);
}

/// What the child of spawn() needs, prepared so that it allocates nothing: it shares our memory.
struct Plan {
  const char* path;
  int executable;
  char** argv;
  char** env;
  const char* cwd;
  bool new_session;
  std::vector<FdMapping> fds;
  int failed = 0;  ///< errno of the step that failed
  // Of an orphan, which a child in between starts.
  char* second_stack = nullptr;
  pid_t orphan = 0;
};

/// Puts every mapped descriptor in its place. First above all targets, so that none is overwritten
/// before it was copied.
bool place_descriptors(Plan& plan) {
  int lowest = 3;
  for (const auto& fd : plan.fds) lowest = fd.to >= lowest ? fd.to + 1 : lowest;
  for (auto& fd : plan.fds) {
    fd.from = ::fcntl(fd.from, F_DUPFD_CLOEXEC, lowest);
    if (fd.from < 0) return false;
  }
  if (plan.executable >= 0) {
    plan.executable = ::fcntl(plan.executable, F_DUPFD_CLOEXEC, lowest);
    if (plan.executable < 0) return false;
  }
  if (::syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC) < 0 && !detail::close_one_by_one(3, ~0U, true)) return false;
  for (const auto& fd : plan.fds) {
    if (::dup2(fd.from, fd.to) < 0) return false;  // which drops close-on-exec
  }
  return true;
}

int run_child(void* argument) {
  auto& plan = *static_cast<Plan*>(argument);
  struct ::sigaction action {};
  action.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &action, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (plan.new_session) ::setsid();
  if ((plan.cwd == nullptr || ::chdir(plan.cwd) == 0) && place_descriptors(plan)) {
    if (plan.executable >= 0) {
      ::syscall(SYS_execveat, plan.executable, "", plan.argv, plan.env, AT_EMPTY_PATH);
    } else {
      ::execve(plan.path, plan.argv, plan.env);
    }
  }
  plan.failed = errno;
  ::_exit(127);
}

/// The child in between: starts the program and leaves, which makes it an orphan.
int run_parent_of_orphan(void* argument) {
  auto& plan = *static_cast<Plan*>(argument);
  const pid_t pid = ::clone(run_child, plan.second_stack, CLONE_VM | CLONE_VFORK | SIGCHLD, &plan);
  if (pid < 0) {
    plan.failed = errno;
  } else if (plan.failed != 0) {
    ::waitpid(pid, nullptr, 0);
  }
  plan.orphan = pid;
  ::_exit(0);
}

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (const auto& text : texts) out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

}  // namespace

Result<Process> Process::open(pid_t pid) {
  const auto fd = ::syscall(SYS_pidfd_open, pid, 0);
  if (fd < 0) return Error::from_errno(errno, fmt::format("open process {}", pid));
  return Process{pid, UniqueFd{static_cast<int>(fd)}};
}

bool Process::alive() const {
  if (!valid()) return false;
  return !poll_readable(pidfd_.get(), std::chrono::milliseconds{0});
}

Result<> Process::signal(int signal) const {
  if (::syscall(SYS_pidfd_send_signal, pidfd_.get(), signal, nullptr, 0) < 0) {
    return Error::from_errno(errno, fmt::format("send signal {} to process {}", signal, pid_));
  }
  return {};
}

Result<UniqueFd> Process::take_descriptor(int number) const {
  const auto fd = ::syscall(SYS_pidfd_getfd, pidfd_.get(), number, 0);
  if (fd < 0) return Error::from_errno(errno, fmt::format("take descriptor {} of process {}", number, pid_));
  return UniqueFd{static_cast<int>(fd)};
}

Result<ExitStatus> Process::wait() const { return status_of(TRY(wait_for(pidfd_.get(), 0))); }

Result<std::optional<ExitStatus>> Process::try_wait() const {
  const siginfo_t info = TRY(wait_for(pidfd_.get(), WNOHANG));
  if (info.si_pid == 0) return std::optional<ExitStatus>{};
  return std::optional{status_of(info)};
}

Result<Process> spawn(const SpawnOptions& options) {
  auto argv = pointers_to(options.argv);
  auto env = pointers_to(options.env);
  Plan plan{options.path.c_str(), options.executable, argv.data(), env.data(),
            options.cwd.empty() ? nullptr : options.cwd.c_str(), options.new_session, options.fds};
  constexpr std::size_t kStackSize = 64 * 1024;
  void* stack = ::mmap(nullptr, kStackSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (stack == MAP_FAILED) return Error::from_errno(errno, "allocate a stack");
  const base::ScopeGuard unmap{[&] { ::munmap(stack, kStackSize); }};
  // A signal handler of ours must not run in the child, which shares our memory.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  int pidfd = -1;
  char* const top = static_cast<char*>(stack) + kStackSize;
  plan.second_stack = top - kStackSize / 2;
  const pid_t pid = ::clone(options.orphan ? run_parent_of_orphan : run_child, top,
                            CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &plan, &pidfd);
  const int clone_errno = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return Error::from_errno(clone_errno, "start " + options.path);
  Process child{pid, UniqueFd{pidfd}};
  if (plan.failed != 0 || options.orphan) base::ignore(child.wait(), "it only has to be reaped");
  if (plan.failed != 0) return Error::from_errno(plan.failed, "start " + options.path);
  if (!options.orphan) return child;
  auto orphan = Process::open(plan.orphan);
  // It may have ended and been reaped by its new parent already.
  return orphan ? std::move(*orphan) : Process{plan.orphan, UniqueFd{}};
}

Result<std::optional<Reaped>> reap_any() {
  siginfo_t info{};
  if (retry([&] { return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG); }) < 0) {
    if (errno == ECHILD) return std::optional<Reaped>{};
    return Error::from_errno(errno, "wait for a child");
  }
  if (info.si_pid == 0) return std::optional<Reaped>{};
  return std::optional{Reaped{info.si_pid, status_of(info)}};
}

Result<std::uint64_t> start_time_of(pid_t pid) {
  const std::string text = TRY(read_file(kCwd, fmt::format("/proc/{}/stat", pid)));
  // The command, field 2, may hold anything, parentheses too: count from its last one.
  const auto end = text.rfind(')');
  if (end != std::string::npos) {
    const auto fields = base::split_words(std::string_view{text}.substr(end + 1));
    constexpr std::size_t kStartTime = 22 - 3;
    if (fields.size() > kStartTime) {
      if (const auto ticks = base::parse_uint(fields[kStartTime])) return *ticks;
    }
  }
  return base::internal(fmt::format("can't read /proc/{}/stat", pid));
}

Result<> become_subreaper() {
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0) return Error::from_errno(errno, "become a subreaper");
  return {};
}

}  // namespace sys
