#pragma once
/// Named places where a test kills the process or makes a call fail.
///
/// In builds with CAISSON_FAULTS, `CRASH_POINT("engine.start.recorded")` ends the process with
/// SIGKILL when the environment has CAISSON_CRASH_AT=engine.start.recorded, and `sys::fault("mkdir")`
/// is an errno when it has CAISSON_FAULT=mkdir:ENOSPC (or mkdir:ENOSPC:3 for the third call).
/// In other builds both are nothing.

#include <string_view>

#include "base/result.h"

namespace sys {

#ifdef CAISSON_FAULTS
void crash_point(std::string_view name);
/// 0, or the errno that the call `name` is to fail with.
[[nodiscard]] int fault(std::string_view name);
#define CRASH_POINT(name) ::sys::crash_point(name)
#else
[[nodiscard]] constexpr int fault(std::string_view /*name*/) { return 0; }
#define CRASH_POINT(name) static_cast<void>(0)
#endif

/// TRY(sys::inject("snapshot.create")): fails when a test asks for it.
inline base::Result<> inject(std::string_view name) {
  if (const int error = fault(name); error != 0) return base::Error::from_errno(error, name);
  return {};
}

}  // namespace sys
