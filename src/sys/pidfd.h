#pragma once
/// What the kernel tells of a pidfd. Source: pidfd_open(2), proc_pid_fdinfo(5).

#include <sys/types.h>

#include "base/result.h"

namespace sys {

/// Whose it is, by the number in the caller's PID namespace. Errors: NotFound when the process has been
/// reaped, or has no number there.
base::Result<pid_t> pid_of(int pidfd);

}  // namespace sys
