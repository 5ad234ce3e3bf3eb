#pragma once
/// Which cgroup a container is about to get, recorded before anything of it is made: for who cleans up after a
/// creator that was killed.

#include <string>

#include "base/result.h"
#include "cgroup/cgroup.h"

namespace runtime::detail {

/// `path` is what the cgroup was planned from.
base::Result<> record_planned_cgroup(const std::string& directory, const std::string& path, const cgroup::Cgroup& planned);
/// Kills what is in the recorded cgroup, and removes it. Nothing recorded is success.
base::Result<> remove_planned_cgroup(const std::string& directory);

}  // namespace runtime::detail
