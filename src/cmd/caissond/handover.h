#pragma once
/// The upgrade in place: a new caissond takes over in the process of the old one.
///
/// SIGUSR2: the old daemon takes no more connections, ends what it is doing, lets go of its data root and executes the file that it
/// was started from, which may be a newer one by then. The listening sockets go along, so that no connection is refused meanwhile:
/// it waits in the kernel. Containers, their logs, attached clients and execs are their shims' and notice nothing. When the file
/// can't be executed, the program that ran is started again.

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "http/listener.h"

namespace caissond {

class Handover {
 public:
  /// At the start of the program, as long as its file has its name.
  static base::Result<Handover> prepare(std::span<char* const> arguments);

  /// Returns only on failure. Before: everything that the next one opens again is closed.
  [[nodiscard]] base::Error execute(std::vector<http::Listener> listeners) const;

 private:
  Handover() = default;
  std::string program_;
  std::vector<std::string> arguments_;
};

}  // namespace caissond
