#pragma once
/// The processes that a shim looks after, and how far each is on its way.

#include <memory>
#include <optional>
#include <string>

#include "shim/detail/process_io.h"
#include "shim/protocol.h"

namespace shim::detail {

/// The end of a process, step by step. Init and execs take the same way.
enum class Ending : std::uint8_t {
  Running,
  Draining,   ///< reaped and recorded; output may still come
  Told,       ///< daemons know; their acknowledgement is waited for
  Finishing,  ///< clients get the rest
};

/// Init ("" as id) or an exec.
struct Supervised {
  std::string id;
  int pid = 0;
  std::unique_ptr<ProcessIo> io;
  Ending ending = Ending::Running;
  std::optional<Exit> exit;
  bool acknowledged = false;
  codec::Json note;  ///< of the exec's request
  /// When a step is not waited for any longer.
  std::optional<Clock::time_point> deadline;
};

}  // namespace shim::detail
