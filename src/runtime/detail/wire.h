#pragma once
/// What the Go and Filter messages carry: cgroup entries as descriptors, the seccomp program as bytes.

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cgroup/cgroup.h"
#include "runtime/detail/channel.h"
#include "runtime/detail/seccomp_compile.h"

namespace runtime::detail {

base::Result<> send_go(const Channel& channel, const cgroup::Entry& entry);
base::Result<> send_filter(const Channel& channel, const std::optional<SeccompProgram>& seccomp);
base::Result<std::optional<SeccompProgram>> unpack_filter(const Packet& packet);
/// Moves the caller into the v1 cgroups; it was cloned into the v2 one.
base::Result<> join_cgroups(const std::vector<sys::UniqueFd>& tasks);

}  // namespace runtime::detail
