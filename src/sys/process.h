#pragma once
/// Processes: their descriptors, their exit, and how to start a program.
/// Sources: pidfd_open(2), pidfd_send_signal(2), waitid(2), clone(2).

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/result.h"
#include "sys/fd.h"

namespace sys {

/// How a process ended, as waitid(2) tells it.
class ExitStatus {
 public:
  ExitStatus() = default;
  static ExitStatus exited(int code) { return {code, 0}; }
  static ExitStatus killed(int signal, bool core = false) { return {0, signal, core}; }

  [[nodiscard]] bool by_signal() const { return signal_ != 0; }
  [[nodiscard]] int signal() const { return signal_; }
  [[nodiscard]] bool dumped_core() const { return core_; }
  /// As a shell says it: the exit code, or 128 + signal.
  [[nodiscard]] int shell_code() const { return by_signal() ? 128 + signal_ : code_; }

 private:
  ExitStatus(int code, int signal, bool core = false) : code_{code}, signal_{signal}, core_{core} {}
  int code_ = 0;
  int signal_ = 0;
  bool core_ = false;
};

/// A process and the descriptor that stands for it whatever becomes of its number. The descriptor is
/// readable once the process has ended.
class Process {
 public:
  Process() = default;
  Process(pid_t pid, UniqueFd pidfd) : pid_{pid}, pidfd_{std::move(pidfd)} {}
  /// Errors: NotFound.
  static base::Result<Process> open(pid_t pid);

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] int pidfd() const { return pidfd_.get(); }
  [[nodiscard]] bool valid() const { return pidfd_.valid(); }
  /// False once it has ended, reaped or not.
  [[nodiscard]] bool alive() const;
  /// Errors: NotFound when it has ended and was reaped.
  [[nodiscard]] base::Result<> signal(int signal) const;
  /// A copy of one of its descriptors. Source: pidfd_getfd(2).
  [[nodiscard]] base::Result<UniqueFd> take_descriptor(int number) const;
  /// Reaps it; for a child only. Blocks.
  [[nodiscard]] base::Result<ExitStatus> wait() const;
  /// nullopt while it runs.
  [[nodiscard]] base::Result<std::optional<ExitStatus>> try_wait() const;

 private:
  pid_t pid_ = 0;
  UniqueFd pidfd_;
};

struct FdMapping {
  int from;  ///< a descriptor of the caller
  int to;    ///< its number in the child
};

struct SpawnOptions {
  /// The program. With `executable` it is only what error messages say.
  std::string path;
  /// A descriptor of the program instead (execveat(2)); -1: none.
  int executable = -1;
  std::vector<std::string> argv;
  std::vector<std::string> env;
  /// All that the child has open. 0, 1 and 2 are the caller's own unless mapped.
  std::vector<FdMapping> fds;
  std::string cwd;           ///< empty: the caller's
  bool new_session = false;  ///< setsid(2)
  /// It becomes a child of init (or of the nearest subreaper), which reaps it; the caller can't.
  bool orphan = false;
};

/// Starts a program with vfork(2)'s semantics: no copy of the caller's memory, and back only once
/// execve has happened, so its error is the result. All signals are unblocked and at their defaults
/// in the child. Safe in a program with threads. Errors: NotFound, PermissionDenied, Internal.
base::Result<Process> spawn(const SpawnOptions& options);

struct Reaped {
  pid_t pid = 0;
  ExitStatus status;
};
/// Reaps any one child that has ended; nullopt when there is none. Not beside code that waits for a
/// child of its own by number.
base::Result<std::optional<Reaped>> reap_any();

/// Ticks since boot at which the process started: with the pid it names a process for ever.
/// Source: proc_pid_stat(5), field 22. Errors: NotFound.
base::Result<std::uint64_t> start_time_of(pid_t pid);

/// The calling process is handed orphans of its descendants (PR_SET_CHILD_SUBREAPER).
base::Result<> become_subreaper();

}  // namespace sys
