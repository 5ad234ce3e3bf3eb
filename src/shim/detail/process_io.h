#pragma once
/// The standard streams of one process: its pipes or its terminal, the log and the clients.
///
/// Output is read in large pieces, written to the log first and then to each client. The process is
/// held back by the log alone: while the log can't be written (a full disk), nothing is read.
/// Input of all clients goes through one bounded buffer; without room, clients are not read.

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "logs/driver.h"
#include "shim/detail/attached_client.h"
#include "shim/detail/event_loop.h"
#include "sys/fd.h"

namespace shim::detail {

/// One buffer for all reads of the shim; given back while nothing comes.
class ReadBuffer {
 public:
  static constexpr std::size_t kSize = 256 * 1024;
  [[nodiscard]] std::span<char> get();
  [[nodiscard]] bool held() const { return memory_ != nullptr; }
  void release() { memory_.reset(); }

 private:
  std::unique_ptr<char[]> memory_;  // NOLINT: not initialised on purpose
};

class ProcessIo final : public Handler, public InputSink {
 public:
  struct Settings {
    bool tty = false;
    bool open_stdin = false;
    /// A client's end of input ends the process's: stdin_once of a container, always of an exec.
    bool ends_with_client = false;
    std::string spill_dir;
  };
  /// The process's ends of the streams, for the runtime. None with a terminal.
  struct Ends {
    sys::UniqueFd in, out, err;
  };
  class Listener {
   public:
    virtual void on_detached(const ProcessIo& io) = 0;

   protected:
    ~Listener() = default;
  };

  ProcessIo(EventLoop& loop, ReadBuffer& buffer, Listener& listener, Settings settings);
  ProcessIo(const ProcessIo&) = delete;
  ProcessIo& operator=(const ProcessIo&) = delete;
  ~ProcessIo();

  /// Makes the pipes.
  base::Result<Ends> make_pipes();
  /// Takes the terminal's master.
  base::Result<> set_terminal(sys::UniqueFd master);
  /// From now on output goes there too; `driver` outlives this.
  void set_log(logs::Driver* driver) { log_ = driver; }

  base::Result<> attach(sys::UniqueFd connection, const Attachment& attachment, const logs::Config* log);
  base::Result<> resize(std::uint16_t rows, std::uint16_t columns);
  /// Once what is buffered has been written. No effect on a terminal.
  void close_stdin();

  /// Reads what is there. After the process's end, until ended() or until nobody waits any more.
  void drain();
  /// No stream can bring anything any more.
  [[nodiscard]] bool ended() const;
  /// Nothing will be read any more: ends the log's streams and lets the clients finish.
  void close_output();
  void finish_clients();
  /// Tries the log again after an error.
  void retry_log();
  [[nodiscard]] bool log_stuck() const { return stuck_; }

  /// Forgets clients that are gone, and drops those past their deadline.
  void sweep(Clock::time_point now);
  [[nodiscard]] std::optional<Clock::time_point> deadline() const;
  [[nodiscard]] bool has_clients() const { return !clients_.empty(); }
  [[nodiscard]] bool tty() const { return settings_.tty; }

  void on_ready(int fd, std::uint32_t events) override;

  [[nodiscard]] std::size_t input_room() const override;
  void take_input(std::string_view bytes) override;
  bool end_input() override;
  void on_detach() override;

 private:
  struct Output {
    sys::UniqueFd fd;
    logs::Stream stream = logs::Stream::Stdout;
    bool open = false;        ///< may bring something
    bool watched = false;
    bool large = false;       ///< the pipe was enlarged
  };

  void read_output(Output& output);
  void deliver(logs::Stream stream, std::string_view bytes);
  void end_output(Output& output);
  void flush_input();
  void shut_input();
  void watch(Output& output);
  void watch_input();
  [[nodiscard]] int input_fd() const;

  EventLoop& loop_;
  ReadBuffer& buffer_;
  Listener& listener_;
  Settings settings_;
  logs::Driver* log_ = nullptr;

  std::array<Output, 2> outputs_;  ///< with a terminal the first is its master
  bool stuck_ = false;             ///< the log can't be written

  sys::UniqueFd input_;            ///< the pipe's end; with a terminal outputs_[0] is it
  bool input_open_ = false;
  bool input_watched_ = false;
  bool close_when_written_ = false;
  std::string input_buffer_;

  std::vector<std::unique_ptr<AttachedClient>> clients_;
};

}  // namespace shim::detail
