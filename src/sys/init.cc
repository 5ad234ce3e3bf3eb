#include "sys/init.h"

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

#include <sys/wait.h>
#include <unistd.h>

namespace sys {
namespace {

constexpr int kNotFound = 127, kNotExecutable = 126, kOfSignal = 128;

/// All but those by which the kernel tells this program of its own faults.
sigset_t waited_for() {
  sigset_t set;
  ::sigfillset(&set);
  for (const int fault : {SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGABRT, SIGTRAP, SIGSYS, SIGTTIN, SIGTTOU}) {
    ::sigdelset(&set, fault);
  }
  return set;
}

/// execve(2) of what `name` is in PATH, without execvp(3)'s shell for files of no known format. The errno of
/// the failure: of several, the one that says that something is there but can't be executed.
int execute(char* const* argv) {
  if (std::strchr(argv[0], '/') != nullptr) {
    ::execve(argv[0], argv, environ);
    return errno;
  }
  const char* folder = std::getenv("PATH");
  int worst = ENOENT;
  while (folder != nullptr) {
    const char* end = std::strchr(folder, ':');
    const auto length = end == nullptr ? std::strlen(folder) : static_cast<std::size_t>(end - folder);
    char path[PATH_MAX];
    const int written = std::snprintf(path, sizeof path, "%.*s/%s", static_cast<int>(length == 0 ? 1 : length), length == 0 ? "." : folder,
                                      argv[0]);
    if (written > 0 && static_cast<std::size_t>(written) < sizeof path) {
      ::execve(path, argv, environ);
      if (errno != ENOENT && errno != ENOTDIR) worst = errno;
    }
    folder = end == nullptr ? nullptr : end + 1;
  }
  return worst;
}

/// Never returns. `mask` is what the program is to have.
[[noreturn]] void become_program(char* const* argv, const sigset_t& mask) {
  // A group of its own, so that ^C reaches the program and not this one. SIGTTOU is ignored here, or the
  // terminal would stop who takes it from the background.
  ::setpgid(0, 0);
  if (::tcsetpgrp(STDIN_FILENO, ::getpgrp()) < 0 && errno != ENOTTY && errno != ENXIO && errno != EBADF) {
    std::fprintf(stderr, "caisson-init: taking the terminal: %s\n", std::strerror(errno));
  }
  ::signal(SIGTTIN, SIG_DFL);
  ::signal(SIGTTOU, SIG_DFL);
  ::sigprocmask(SIG_SETMASK, &mask, nullptr);
  const int why = execute(argv);
  std::fprintf(stderr, "caisson-init: exec %s: %s\n", argv[0], std::strerror(why));
  ::_exit(why == ENOENT || why == ENOTDIR ? kNotFound : kNotExecutable);
}

int code_of(int status) {
  return WIFSIGNALED(status) ? kOfSignal + WTERMSIG(status) : WEXITSTATUS(status);
}

/// Takes all that have ended. The code of `program`, or -1 if it was not among them.
int reap(::pid_t program) {
  int code = -1;
  while (true) {
    int status = 0;
    const ::pid_t ended = ::waitpid(-1, &status, WNOHANG);
    if (ended <= 0) return code;
    if (ended == program) code = code_of(status);
  }
}

}  // namespace

int run_as_init(char* const* argv) {
  const sigset_t set = waited_for();
  sigset_t before;
  ::sigprocmask(SIG_SETMASK, &set, &before);
  ::signal(SIGTTIN, SIG_IGN);
  ::signal(SIGTTOU, SIG_IGN);
  const ::pid_t program = ::fork();
  if (program < 0) {
    std::fprintf(stderr, "caisson-init: fork: %s\n", std::strerror(errno));
    return kNotExecutable;
  }
  if (program == 0) become_program(argv, before);
  while (true) {
    siginfo_t info;
    if (::sigwaitinfo(&set, &info) < 0) continue;  // EINTR: this process was stopped and goes on
    if (info.si_signo == SIGCHLD) {
      if (const int code = reap(program); code >= 0) return code;
    } else if (::kill(program, info.si_signo) < 0 && errno == ESRCH) {
      continue;  // its SIGCHLD is on the way
    }
  }
}

}  // namespace sys
