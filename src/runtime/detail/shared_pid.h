#pragma once
/// A container in the PID namespace of others. Who is in there with CAP_SYS_PTRACE may trace whatever it
/// sees, and would see init while that still has the host's privileges. So init stays outside, as the helper
/// of `exec` does, and only what it forks in the end, without privileges, is born inside. But a procfs
/// belongs to the PID namespace of who makes it: that of the others must be had without being there.

#include <string>

#include "base/result.h"
#include "runtime/detail/init_plan.h"

namespace runtime::detail {

/// Opens what the configuration mounts of type proc, as InitPlan::rootfs.trees, for the namespace that is
/// joined; says whether all could be had, and opens none otherwise. By the mount option "pidns" of
/// Linux 6.17; before, by a copy of what is on the /proc of the process that the namespace's path names, if
/// it turns out to be that namespace's procfs.
base::Result<bool> open_procfs(InitPlan& plan);

}  // namespace runtime::detail
