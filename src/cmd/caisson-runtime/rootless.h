#pragma once
/// Whether the caller is one who may not be permitted to make cgroups.

#include <string_view>

#include "base/result.h"
#include "cgroup/systemd.h"

namespace caisson_runtime {

/// `--rootless`: "true", "false" or "auto", which is: not root, or root of a user namespace; with systemd the latter
/// only if the user who owns it has a manager. Errors: InvalidArgument.
base::Result<bool> rootless_of(std::string_view flag, cgroup::Driver driver);

}  // namespace caisson_runtime
