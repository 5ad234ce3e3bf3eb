#include "sys/signals.h"

#include <csignal>

namespace sys {
namespace {

sigset_t set_of(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  return set;
}

}  // namespace

base::Result<> block_signals(std::initializer_list<int> signals) {
  const sigset_t set = set_of(signals);
  if (const int error = ::pthread_sigmask(SIG_BLOCK, &set, nullptr); error != 0) {
    return base::Error::from_errno(error, "block signals");
  }
  return {};
}

base::Result<int> wait_for_signal(std::initializer_list<int> signals) {
  const sigset_t set = set_of(signals);
  int signal = 0;
  if (const int error = ::sigwait(&set, &signal); error != 0) {
    return base::Error::from_errno(error, "wait for a signal");
  }
  return signal;
}

void ignore_sigpipe() { std::signal(SIGPIPE, SIG_IGN); }

}  // namespace sys
