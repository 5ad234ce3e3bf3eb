#pragma once
/// Waiting for a daemon that went away. Containers go on without it, so a command that follows one does
/// too: it waits for the next daemon at the same socket.

#include <chrono>
#include <optional>

#include "base/result.h"
#include "cli/cli.h"
#include "sys/dir_watch.h"

namespace cli {

class DaemonReturn {
 public:
  static constexpr std::chrono::seconds kPatience{60};

  /// Errors: Unavailable for a daemon that is not at a unix socket, whose return nothing tells.
  static base::Result<DaemonReturn> watch(Cli& cli);

  /// Readable when it is worth to ask `is_back` again.
  [[nodiscard]] int fd() const { return watch_.fd(); }
  [[nodiscard]] std::chrono::steady_clock::time_point deadline() const { return deadline_; }
  /// Connects. Errors: PermissionDenied and others that waiting does not cure.
  base::Result<bool> is_back();
  /// Blocks until it is back. Errors: Unavailable at the deadline.
  base::Result<> wait();

 private:
  DaemonReturn(sys::DirWatch watch, std::string socket)
      : watch_{std::move(watch)},
        socket_{std::move(socket)},
        deadline_{std::chrono::steady_clock::now() + kPatience} {}
  sys::DirWatch watch_;
  std::string socket_;
  std::chrono::steady_clock::time_point deadline_;
};

}  // namespace cli
