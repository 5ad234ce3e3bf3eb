#pragma once
/// Which cgroup driver the daemon uses, and what that asks of --cgroup-parent.

#include <string>
#include <vector>

#include "base/result.h"
#include "cgroup/systemd.h"
#include "engine/host_facts.h"

namespace engine {

/// What `exec-opts` say ("native.cgroupdriver=systemd", "…=cgroupfs"). Without a word, as dockerd: systemd where it
/// runs the host and cgroup v2 is all there is, since one writer is the rule there. Errors: InvalidArgument.
base::Result<cgroup::Driver> cgroup_driver(const std::vector<std::string>& exec_opts, const HostFacts& facts);
[[nodiscard]] std::string_view name_of(cgroup::Driver driver);

/// A parent for systemd is a slice. Empty is none. Errors: InvalidArgument in docker's words.
base::Result<> check_cgroup_parent(std::string_view parent, cgroup::Driver driver);

}  // namespace engine
