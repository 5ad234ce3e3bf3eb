#pragma once
/// A cgroup handed to the container's root. Source: OCI config-linux.md "Cgroup ownership", cgroup-v2.rst "Delegation".

#include <vector>

#include "base/result.h"
#include "cgroup/cgroup.h"
#include "spec/runtime_config.h"

namespace runtime::detail {

/// On v2, where the container has user and cgroup namespaces of its own and mounts its cgroup for writing: gives the
/// cgroup's directory, and of the files in it those that the kernel lists for that purpose, to the user of the host who
/// is the container's root. The limits stay ours. Otherwise nothing.
base::Result<> give_cgroup_away(const cgroup::Host& host, const cgroup::Cgroup& cgroup, const spec::oci::Spec& spec,
                                bool new_user_namespace, bool new_cgroup_namespace);

}  // namespace runtime::detail
