#pragma once
/// A container's process in the foreground of this terminal: its streams, its signals, its size, its
/// end. One thread, one poll loop. The terminal is restored on every way out, and when the program is
/// ended by a signal.

#include <memory>
#include <optional>
#include <string>

#include "base/function_ref.h"
#include "base/result.h"
#include "cli/cli.h"
#include "client/containers.h"

namespace cli {

struct ForegroundOptions {
  bool tty = false;
  bool input = false;  ///< this program's stdin goes to the container
  bool proxy_signals = false;
  std::string detach_keys;  ///< "" : the user's configuration, else ctrl-p,ctrl-q
};

/// What a stream belongs to.
class ForegroundProcess {
 public:
  virtual ~ForegroundProcess() = default;
  virtual base::Result<> resize(unsigned rows, unsigned columns) = 0;
  /// `name`: "INT".
  virtual base::Result<> signal(const std::string& name) = 0;
};

class Foreground {
 public:
  /// Puts the terminal into raw mode and takes the signals over. Errors: Internal.
  static base::Result<std::unique_ptr<Foreground>> begin(Cli& cli, ForegroundOptions options,
                                                         ForegroundProcess& process);
  ~Foreground();
  Foreground(const Foreground&) = delete;
  Foreground& operator=(const Foreground&) = delete;

  /// Tells the process the terminal's size; nothing without a terminal.
  void send_size();
  enum class End : std::uint8_t { OutputClosed, Detached };
  /// Until the output ends or the user leaves. Errors: what the daemon reports on the stream.
  base::Result<End> stream(client::RawStream connection);
  /// Until the container has ended; goes on with the next daemon when this one goes away.
  /// `again` asks it for a new wait. Errors: Unavailable when none came, what `again` says.
  base::Result<spec::api::WaitResponse> wait(client::PendingWait pending,
                                             base::FunctionRef<base::Result<client::PendingWait>()> again);

 private:
  struct State;
  explicit Foreground(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace cli
