#pragma once
/// Into which cgroup a process beside init goes, and how it gets there.

#include "runtime/container.h"
#include "sys/process.h"

namespace runtime::detail {

/// The container's cgroup or `below` it. On v2 without `below`, where the container's own is gone or can't hold
/// processes any more (its init has moved and handed controllers down): init's.
base::Result<cgroup::Entry> exec_entry(Container::Data& data, const cgroup::Subgroups& below);

/// A clone that is in the v2 cgroup from its first moment where the kernel permits it; else systemd moves it there
/// before it goes on; in a rootless container that has no permission at all it stays where the caller is. As
/// sys::clone_process. Errors: Internal with the errno of joining.
base::Result<sys::Process> clone_into(Container::Data& data, cgroup::Entry& entry, const cgroup::Subgroups& below);

}  // namespace runtime::detail
