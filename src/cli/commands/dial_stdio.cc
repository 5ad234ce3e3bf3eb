/// The far end of ssh://: the daemon's connection as this process's standard streams.
#include <array>
#include <thread>

#include "cli/cli.h"
#include "cli/commands/all.h"
#include "sys/fd.h"
#include "sys/stream_socket.h"

namespace cli {

using base::Result;

namespace {

constexpr std::size_t kBufferBytes = std::size_t{64} << 10U;

/// stdin to the daemon until its end, which the daemon is told, or until `stop` is readable.
void send_input(int socket, int stop) {
  std::array<char, kBufferBytes> buffer{};
  while (true) {
    std::array<sys::PollItem, 2> items{{{0, POLLIN}, {stop, POLLIN}}};
    if (!sys::wait_any(items, sys::kNoDeadline) || items[1].ready != 0) return;
    const auto count = sys::read_some(0, buffer);
    if (!count || *count == 0) return sys::shut_down(socket, sys::Direction::Write);
    if (!sys::write_all(socket, {buffer.data(), *count})) return;
  }
}

class DialStdio final : public Command {
 public:
  Result<int> run(Cli& cli, const Invocation& /*invocation*/) override {
    client::Client& client = *TRY(cli.client());
    const auto socket = TRY(client.dial().context("failed to open the raw stream connection"));
    sys::Pipe stop = TRY(sys::make_pipe());
    const std::jthread sender{[&] { send_input(socket.get(), stop.read.get()); }};
    const auto done = receive(socket.get());
    // The thread may be in the middle of a write that nobody takes any more.
    sys::shut_down(socket.get(), sys::Direction::Both);
    stop.write.reset();
    TRY(done);
    return 0;
  }

 private:
  static Result<> receive(int socket) {
    std::array<char, kBufferBytes> buffer{};
    while (true) {
      const std::size_t count = TRY(sys::read_some(socket, buffer).context("read from the daemon"));
      if (count == 0) return {};
      TRY(sys::write_all(1, {buffer.data(), count}).context("write to stdout"));
    }
  }
};

}  // namespace

std::unique_ptr<Command> make_dial_stdio() { return std::make_unique<DialStdio>(); }

}  // namespace cli
