#pragma once
/// Named places where a test kills the process or makes a call fail.
///
/// In builds with CAISSON_FAULTS, `CRASH_POINT("engine.start.recorded")` ends the process with SIGKILL when the environment has
/// CAISSON_CRASH_AT=engine.start.recorded (or …:3 for the third time); with CAISSON_CRASH_LOG=FILE points that were passed are
/// appended to FILE, and only one process dies: who makes FILE.killed. `sys::fault("mkdir")` is an errno when the environment
/// has CAISSON_FAULT=mkdir:ENOSPC (or mkdir:ENOSPC:3 for the third call). In other builds all are nothing.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sys {

#ifdef CAISSON_FAULTS
void crash_point(std::string_view name);
/// 0, or the errno that the call `name` is to fail with.
[[nodiscard]] int fault(std::string_view name);
#define CRASH_POINT(name) ::sys::crash_point(name)
/// What of the above a child must have in its environment to heed it, too.
[[nodiscard]] std::vector<std::string> fault_environment();
#else
[[nodiscard]] constexpr int fault(std::string_view /*name*/) { return 0; }
[[nodiscard]] inline std::vector<std::string> fault_environment() { return {}; }
#define CRASH_POINT(name) static_cast<void>(0)
#endif

/// TRY(sys::inject("snapshot.create")): fails when a test asks for it.
inline base::Result<> inject(std::string_view name) {
  if (const int error = fault(name); error != 0) return base::Error::from_errno(error, name);
  return {};
}

}  // namespace sys
