#include "cmd/caisson-runtime/foreground.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <optional>

#include <sys/signalfd.h>

#include "sys/epoll.h"
#include "sys/pty.h"

namespace caisson_runtime {

using base::Result;

namespace {

enum Source : std::uint64_t { kEnded, kSignal, kInput, kOutput };

/// Not ours to pass on: our own child's end, faults of this program, and what stops a shell's job.
std::vector<int> passed_signals() {
  std::vector<int> out;
  for (int signal = 1; signal < NSIG; ++signal) {
    switch (signal) {
      case SIGKILL:
      case SIGSTOP:
      case SIGCHLD:
      case SIGURG:
      case SIGPIPE:
      case SIGSEGV:
      case SIGBUS:
      case SIGILL:
      case SIGFPE:
      case SIGTRAP:
      case SIGABRT: break;
      default: out.push_back(signal);
    }
  }
  return out;
}

/// Moves what is there. False at the end, or when the other side is gone.
bool pump(int from, int to) {
  std::array<char, 32 * 1024> buffer{};
  const auto count = sys::read_some(from, buffer);
  if (!count) return count.error().errno_value() == EAGAIN;
  return *count != 0 && sys::write_all(to, {buffer.data(), *count});
}

class Terminal {
 public:
  static Result<Terminal> open(sys::UniqueFd pty, sys::Epoll& epoll) {
    Terminal out;
    out.pty_ = std::move(pty);
    if (sys::is_terminal(0)) {
      out.raw_.emplace(TRY(sys::RawMode::enter(0, sys::RawMode::Output::AsBefore)));
      out.resize();
    }
    TRY(epoll.add(out.pty_.get(), EPOLLIN, kOutput));
    // A regular file as input can't be waited for; it is always ready.
    out.input_waits_ = epoll.add(0, EPOLLIN, kInput).has_value();
    return out;
  }
  void resize() {
    const auto size = sys::window_size(0);
    if (size) base::ignore(sys::set_window_size(pty_.get(), *size), "a terminal that is gone needs no size");
  }
  void input(sys::Epoll& epoll) {
    if (pump(0, pty_.get())) return;
    epoll.remove(0);
  }
  void output(sys::Epoll& epoll) {
    if (!pump(pty_.get(), 1)) epoll.remove(pty_.get());
  }
  void all_input() {
    if (input_waits_) return;
    while (pump(0, pty_.get())) {
    }
  }
  void drain() {
    while (sys::poll_readable(pty_.get(), std::chrono::milliseconds{0}) && pump(pty_.get(), 1)) {
    }
  }

 private:
  sys::UniqueFd pty_;
  std::optional<sys::RawMode> raw_;
  bool input_waits_ = false;
};

}  // namespace

void adopt_window_size(spec::oci::Process& process) {
  if (!process.terminal || process.console_size || !sys::is_terminal(0)) return;
  const auto size = sys::window_size(0);
  if (size) process.console_size = spec::oci::ConsoleSize{size->rows, size->columns};
}

Foreground::Foreground() : block_{passed_signals()} {}

Result<int> Foreground::stay(const sys::Process& process, sys::UniqueFd pty) {
  sys::Epoll epoll = TRY(sys::Epoll::create());
  const sys::UniqueFd signals = TRY(sys::make_signal_fd(block_.blocked(), SFD_NONBLOCK));
  TRY(epoll.add(process.pidfd(), EPOLLIN, kEnded));
  TRY(epoll.add(signals.get(), EPOLLIN, kSignal));
  std::optional<Terminal> terminal;
  if (pty) {
    terminal.emplace(TRY(Terminal::open(std::move(pty), epoll)));
    terminal->all_input();
  }
  for (bool ended = false; !ended;) {
    for (const auto& ready : TRY(epoll.wait(std::nullopt))) {
      if (ready.token == kOutput) terminal->output(epoll);
      if (ready.token == kInput) terminal->input(epoll);
      if (ready.token == kEnded) ended = true;
      if (ready.token != kSignal) continue;
      while (const auto signal = TRY(sys::read_signal(signals.get()))) {
        if (*signal == SIGWINCH && terminal) {
          terminal->resize();
        } else {
          base::ignore(process.signal(*signal), "it may have ended");
        }
      }
    }
  }
  if (terminal) terminal->drain();
  return TRY(process.wait()).shell_code();
}

}  // namespace caisson_runtime
