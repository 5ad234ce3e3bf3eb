#pragma once
/// One client joined to a process: its connection, what it is to get, what it sends.

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "logs/reader.h"
#include "shim/detail/detach_keys.h"
#include "shim/detail/event_loop.h"
#include "shim/detail/spill_queue.h"
#include "shim/protocol.h"

namespace shim::detail {

/// What an AttachedClient needs of the process it is joined to.
class InputSink {
 public:
  /// How much input can be taken now.
  [[nodiscard]] virtual std::size_t input_room() const = 0;
  virtual void take_input(std::string_view bytes) = 0;
  /// The client has ended its input. True: the process's is ended too and the client stays for the
  /// output; false: the client leaves.
  virtual bool end_input() = 0;
  /// The detach keys came.
  virtual void on_detach() = 0;

 protected:
  ~InputSink() = default;
};

/// Steps of its end: finish() → all output sent → half-closed, input thrown away until the client has
/// closed too (else the kernel would tell it "connection reset" instead of the last output) → gone.
class AttachedClient final : public Handler {
 public:
  struct Settings {
    shim::Attachment options;
    bool tty = false;
    std::string spill_dir;
    std::unique_ptr<logs::Reader> replay;  ///< what to send first
  };
  /// Errors: InvalidArgument (detach keys).
  static base::Result<std::unique_ptr<AttachedClient>> open(EventLoop& loop, InputSink& sink, sys::UniqueFd connection,
                                                        Settings settings);
  AttachedClient(const AttachedClient&) = delete;
  AttachedClient& operator=(const AttachedClient&) = delete;
  ~AttachedClient();

  /// Output of the process. Sent now as far as the client takes it, kept else.
  void push(logs::Stream stream, std::string_view bytes);
  /// Input that came before the connection did.
  void take(std::string_view input);
  /// Begins to send the replay.
  void start_replay();
  /// There is room for input again.
  void resume_input();
  /// No more output will come.
  void finish();
  [[nodiscard]] bool gone() const { return !connection_.valid(); }
  /// When to give a client up that does not close its side.
  [[nodiscard]] std::optional<Clock::time_point> deadline() const { return linger_until_; }
  void drop();

  void on_ready(int fd, std::uint32_t events) override;

 private:
  AttachedClient(EventLoop& loop, InputSink& sink, sys::UniqueFd connection, Settings settings);

  [[nodiscard]] bool wants(logs::Stream stream) const;
  void enqueue(std::string_view header, std::string_view bytes);
  void flush();
  bool refill_replay();
  void read_input();
  void input_ended();
  void hang_up();
  void half_close();
  void watch();

  EventLoop& loop_;
  InputSink& sink_;
  sys::UniqueFd connection_;
  Settings settings_;
  std::optional<DetachFilter> keys_;
  SpillQueue queue_;
  std::string replayed_;        ///< of settings_.replay, on its way out
  std::uint32_t watched_ = 0;   ///< events asked for
  bool registered_ = false;
  bool reads_ = false;          ///< input is still expected
  bool hung_up_ = false;        ///< the client is gone, but what it sent may still be there
  bool finishing_ = false;
  std::optional<Clock::time_point> linger_until_;
};

}  // namespace shim::detail
