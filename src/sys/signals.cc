#include "sys/signals.h"

#include <array>
#include <cerrno>
#include <string>
#include <utility>

#include <sys/signalfd.h>
#include <unistd.h>

#include "base/strings.h"

namespace sys {

using base::Error;
using base::Result;

namespace {

sigset_t set_of(std::initializer_list<int> signals) {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : signals) ::sigaddset(&set, signal);
  return set;
}

}  // namespace

Result<> block_signals(std::initializer_list<int> signals) {
  const sigset_t set = set_of(signals);
  if (const int error = ::pthread_sigmask(SIG_BLOCK, &set, nullptr); error != 0) {
    return Error::from_errno(error, "block signals");
  }
  return {};
}

Result<int> wait_for_signal(std::initializer_list<int> signals) {
  const sigset_t set = set_of(signals);
  int signal = 0;
  if (const int error = ::sigwait(&set, &signal); error != 0) {
    return Error::from_errno(error, "wait for a signal");
  }
  return signal;
}

Result<std::optional<int>> wait_for_signal(std::initializer_list<int> signals, std::chrono::milliseconds time) {
  const sigset_t set = set_of(signals);
  const ::timespec limit{.tv_sec = time.count() / 1000, .tv_nsec = time.count() % 1000 * 1'000'000};
  const int signal = ::sigtimedwait(&set, nullptr, &limit);
  if (signal > 0) return std::optional{signal};
  if (errno == EAGAIN || errno == EINTR) return std::optional<int>{};
  return Error::from_errno(errno, "wait for a signal");
}

void ignore_sigpipe() { std::signal(SIGPIPE, SIG_IGN); }

void ignore_signals(std::initializer_list<int> signals) {
  struct ::sigaction action {};
  action.sa_handler = SIG_IGN;
  for (const int signal : signals) ::sigaction(signal, &action, nullptr);
}

SignalBlock::SignalBlock(const std::vector<int>& signals) {
  ::sigemptyset(&blocked_);
  for (const int signal : signals) ::sigaddset(&blocked_, signal);
  ::pthread_sigmask(SIG_BLOCK, &blocked_, &before_);
}

SignalBlock::SignalBlock() {
  ::sigfillset(&blocked_);
  ::pthread_sigmask(SIG_BLOCK, &blocked_, &before_);
}

SignalBlock::~SignalBlock() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

Result<UniqueFd> make_signal_fd(const sigset_t& blocked, int flags) {
  UniqueFd fd{::signalfd(-1, &blocked, SFD_CLOEXEC | flags)};
  if (!fd) return Error::from_errno(errno, "signalfd");
  return fd;
}

Result<std::optional<int>> read_signal(int signal_fd) {
  ::signalfd_siginfo info{};
  const auto count = read_some(signal_fd, {reinterpret_cast<char*>(&info), sizeof info});
  if (!count) {
    if (count.error().errno_value() == EAGAIN) return std::optional<int>{};
    return base::Error{count.error()};
  }
  return std::optional{static_cast<int>(info.ssi_signo)};
}

void reset_signals() {
  struct ::sigaction action {};
  action.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) {
    if (signal != SIGKILL && signal != SIGSTOP) ::sigaction(signal, &action, nullptr);
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
}

namespace {

constexpr std::array<std::pair<std::string_view, int>, 35> kSignals{{
    {"SIGHUP", SIGHUP},       {"SIGINT", SIGINT},     {"SIGQUIT", SIGQUIT}, {"SIGILL", SIGILL},
    {"SIGTRAP", SIGTRAP},     {"SIGABRT", SIGABRT},   {"SIGBUS", SIGBUS},   {"SIGFPE", SIGFPE},
    {"SIGKILL", SIGKILL},     {"SIGUSR1", SIGUSR1},   {"SIGSEGV", SIGSEGV}, {"SIGUSR2", SIGUSR2},
    {"SIGPIPE", SIGPIPE},     {"SIGALRM", SIGALRM},   {"SIGTERM", SIGTERM}, {"SIGSTKFLT", SIGSTKFLT},
    {"SIGCHLD", SIGCHLD},     {"SIGCONT", SIGCONT},   {"SIGSTOP", SIGSTOP}, {"SIGTSTP", SIGTSTP},
    {"SIGTTIN", SIGTTIN},     {"SIGTTOU", SIGTTOU},   {"SIGURG", SIGURG},   {"SIGXCPU", SIGXCPU},
    {"SIGXFSZ", SIGXFSZ},     {"SIGVTALRM", SIGVTALRM}, {"SIGPROF", SIGPROF}, {"SIGWINCH", SIGWINCH},
    {"SIGIO", SIGIO},         {"SIGPWR", SIGPWR},     {"SIGSYS", SIGSYS},   {"SIGIOT", SIGABRT},
    {"SIGCLD", SIGCHLD},      {"SIGPOLL", SIGIO},     {"SIGUNUSED", SIGSYS},
}};
// The kernel's range, not glibc's, which keeps two for itself.
constexpr int kFirstRealTime = 34;
constexpr int kLastSignal = 64;

std::optional<int> real_time_signal(std::string_view name) {
  const auto offset = [](std::string_view text) { return static_cast<int>(base::parse_uint(text).value_or(1000)); };
  int number = 0;
  if (name == "SIGRTMIN") {
    number = kFirstRealTime;
  } else if (name == "SIGRTMAX") {
    number = kLastSignal;
  } else if (name.starts_with("SIGRTMIN+")) {
    number = kFirstRealTime + offset(name.substr(9));
  } else if (name.starts_with("SIGRTMAX-")) {
    number = kLastSignal - offset(name.substr(9));
  }
  if (number < kFirstRealTime || number > kLastSignal) return std::nullopt;
  return number;
}

}  // namespace

std::optional<int> signal_number(std::string_view name) {
  if (const auto number = base::parse_uint(name)) {
    if (*number == 0 || *number > kLastSignal) return std::nullopt;
    return static_cast<int>(*number);
  }
  std::string full;
  for (const char c : name) full += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  if (!full.starts_with("SIG")) full.insert(0, "SIG");
  for (const auto& [known, number] : kSignals) {
    if (known == full) return number;
  }
  return real_time_signal(full);
}

std::string_view signal_name(int number) {
  for (const auto& [known, value] : kSignals) {
    if (value == number) return known;
  }
  return {};
}

}  // namespace sys
