#include "cli/stream/foreground.h"

#include <array>
#include <csignal>

#include <unistd.h>

#include <fmt/format.h>

#include "cli/stream/daemon_return.h"
#include "cli/stream/detach_keys.h"
#include "cli/stream/frames.h"
#include "sys/pty.h"
#include "sys/signals.h"
#include "sys/stream_socket.h"

namespace cli {

using base::Result;

namespace {

constexpr int kIn = 0;
constexpr std::size_t kBufferSize = std::size_t{64} << 10U;

/// Signals that a user means for the container.
std::vector<int> forwarded_signals() {
  return {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGCONT, SIGTSTP};
}
/// Signals that would end this program and leave the terminal raw.
std::vector<int> ending_signals() { return {SIGHUP, SIGINT, SIGQUIT, SIGTERM}; }

std::vector<int> taken_signals(const ForegroundOptions& options) {
  std::vector<int> out;
  if (options.proxy_signals) {
    out = forwarded_signals();
  } else if (options.tty) {
    out = ending_signals();
  }
  if (options.tty) out.push_back(SIGWINCH);
  return out;
}

std::string detach_sequence(Cli& cli, const std::string& given) {
  std::string text = given;
  if (text.empty()) text = cli.config().text("detachKeys");
  // As docker: keys that make no sense are refused by the daemon, here the usual ones stay.
  if (const auto keys = parse_detach_keys(text); keys && !keys->empty()) return *keys;
  return *parse_detach_keys("ctrl-p,ctrl-q");
}

}  // namespace

struct Foreground::State {
  State(Cli& the_cli, ForegroundOptions the_options, ForegroundProcess& the_process)
      : cli{the_cli},
        options{std::move(the_options)},
        process{the_process},
        block{taken_signals(options)},
        filter{options.tty ? detach_sequence(cli, options.detach_keys) : std::string{}} {}

  Cli& cli;
  ForegroundOptions options;
  ForegroundProcess& process;
  sys::SignalBlock block;
  DetachFilter filter;
  sys::UniqueFd signal_fd;
  std::optional<sys::RawMode> raw;

  Result<> take_signal() {
    const auto signal = TRY(sys::read_signal(signal_fd.get()));
    if (!signal) return {};
    if (*signal == SIGWINCH) {
      send_size();
    } else if (options.proxy_signals) {
      const std::string_view name = sys::signal_name(*signal);
      // The container may have ended meanwhile, or the daemon: neither is a reason to stop.
      base::ignore(process.signal(std::string{name.starts_with("SIG") ? name.substr(3) : name}),
                   "its end is reported elsewhere");
    } else {
      end_by(*signal);
    }
    return {};
  }

  void send_size() {
    if (!options.tty || !cli.out().is_terminal()) return;
    const auto size = sys::window_size(cli.out().fd());
    if (!size || (size->rows == 0 && size->columns == 0)) return;
    base::ignore(process.resize(size->rows, size->columns), "an old size is no reason to stop");
  }

  [[noreturn]] void end_by(int signal) {
    raw.reset();
    sys::reset_signals();
    std::raise(signal);
    ::_exit(128 + signal);
  }
};

Foreground::Foreground(std::unique_ptr<State> state) : state_{std::move(state)} {}
Foreground::~Foreground() = default;

Result<std::unique_ptr<Foreground>> Foreground::begin(Cli& cli, ForegroundOptions options,
                                                      ForegroundProcess& process) {
  auto state = std::make_unique<State>(cli, std::move(options), process);
  state->signal_fd = TRY(sys::make_signal_fd(state->block.blocked(), O_NONBLOCK));
  if (state->options.tty && state->options.input && sys::is_terminal(kIn)) {
    state->raw.emplace(TRY(sys::RawMode::enter(kIn)));
  }
  return std::unique_ptr<Foreground>{new Foreground{std::move(state)}};
}

void Foreground::send_size() { state_->send_size(); }

namespace {

/// The two directions of one connection.
class Pump {
 public:
  Pump(Cli& cli, client::RawStream connection, bool tty, bool input, DetachFilter& filter)
      : cli_{cli},
        socket_{std::move(connection.socket)},
        framed_{connection.multiplexed.value_or(!tty)},
        tty_{tty},
        input_{input},
        filter_{filter},
        prefix_{std::move(connection.prefix)} {}

  Result<Foreground::End> run(int signal_fd, base::FunctionRef<Result<>()> on_signal) {
    TRY(show(prefix_));
    while (true) {
      std::array items{
          sys::PollItem{socket_.get(), static_cast<short>(to_send_.empty() ? POLLIN : POLLIN | POLLOUT)},
          sys::PollItem{input_ && to_send_.empty() ? kIn : -1, POLLIN}, sys::PollItem{signal_fd, POLLIN}};
      TRY(sys::wait_any(items, sys::kNoDeadline));
      if (items[2].ready != 0) TRY(on_signal());
      if (items[1].ready != 0 && TRY(take_input())) return Foreground::End::Detached;
      if ((items[0].ready & POLLOUT) != 0) TRY(send());
      if ((items[0].ready & ~POLLOUT) != 0 && !TRY(take_output())) return Foreground::End::OutputClosed;
    }
  }

 private:
  /// False at the end.
  Result<bool> take_output() {
    const auto count = sys::receive_now(socket_.get(), buffer_);
    if (!count) {
      if (count.error().errno_value() == ECONNRESET) return false;
      return count.error();
    }
    if (!*count) return true;
    if (**count == 0) return false;
    TRY(show(std::string_view{buffer_.data(), **count}));
    return true;
  }

  Result<> show(std::string_view bytes) {
    if (!framed_) {
      cli_.out().write(bytes);
      return {};
    }
    return reader_.feed(bytes, [&](const FramePiece& piece) {
      (piece.stream == FrameStream::Err ? cli_.err() : cli_.out()).write(piece.bytes);
    });
  }

  /// True when the user leaves.
  Result<bool> take_input() {
    const auto count = sys::read_some(kIn, buffer_);
    if (!count || *count == 0) {
      // A terminal that is gone reads as an error.
      input_ = false;
      sys::shut_down(socket_.get(), sys::Direction::Write);
      return false;
    }
    const std::string_view typed{buffer_.data(), *count};
    bool leaves = false;
    if (tty_) {
      leaves = filter_.feed(typed, to_send_);
    } else {
      to_send_ = typed;
    }
    TRY(send());
    return leaves;
  }

  Result<> send() {
    while (!to_send_.empty()) {
      const auto sent = sys::send_now(socket_.get(), to_send_);
      if (!sent) {
        // The process does not read any more; its output may still come.
        to_send_.clear();
        input_ = false;
        return {};
      }
      if (!*sent) return {};
      to_send_.erase(0, **sent);
    }
    return {};
  }

  Cli& cli_;
  sys::UniqueFd socket_;
  bool framed_, tty_, input_;
  DetachFilter& filter_;
  std::string prefix_;
  FrameReader reader_;
  std::string to_send_;
  std::array<char, kBufferSize> buffer_{};
};

}  // namespace

Result<Foreground::End> Foreground::stream(client::RawStream connection) {
  State& s = *state_;
  const auto pump =
      std::make_unique<Pump>(s.cli, std::move(connection), s.options.tty, s.options.input, s.filter);
  auto end = pump->run(s.signal_fd.get(), [&]() -> Result<> { return s.take_signal(); });
  s.raw.reset();
  return end;
}

Result<spec::api::WaitResponse> Foreground::wait(client::PendingWait pending,
                                                 base::FunctionRef<Result<client::PendingWait>()> again) {
  State& s = *state_;
  std::optional<client::PendingWait> current{std::move(pending)};
  std::optional<DaemonReturn> absence;
  while (true) {
    if (current) {
      auto response = current->check();
      if (response && *response) return std::move(**response);
      if (!response) {
        current.reset();
        absence.emplace(TRY(DaemonReturn::watch(s.cli)));
      }
    }
    if (absence && TRY(absence->is_back())) {
      auto next = again();
      if (next) {
        current.emplace(std::move(*next));
        absence.reset();
        continue;
      }
      if (!client::is_connection_failure(next.error())) return next.error();
    }
    std::array items{sys::PollItem{current ? current->fd() : absence->fd(), POLLIN},
                     sys::PollItem{s.signal_fd.get(), POLLIN}};
    const bool ready = TRY(sys::wait_any(items, absence ? absence->deadline() : sys::kNoDeadline));
    if (!ready) return base::unavailable("the daemon did not return");
    if (items[1].ready != 0) TRY(s.take_signal());
  }
}

}  // namespace cli
