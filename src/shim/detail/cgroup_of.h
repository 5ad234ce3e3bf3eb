#pragma once
/// The cgroup that an external runtime put its container into.

#include <sys/types.h>

#include "base/result.h"
#include "cgroup/cgroup.h"

namespace shim::detail {

/// Of a process, by /proc/<pid>/cgroup. Errors: NotFound.
base::Result<cgroup::Cgroup> cgroup_of(pid_t pid);

}  // namespace shim::detail
