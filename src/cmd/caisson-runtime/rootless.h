#pragma once
/// The caller who is not root of the machine: what he may not be permitted, and where his things are.

#include <string>
#include <string_view>

#include "base/result.h"
#include "cgroup/systemd.h"

namespace caisson_runtime {

/// `--rootless`: "true", "false" or "auto", which is: not root, or root of a user namespace; with systemd the latter
/// only if the user who owns it has a manager. Errors: InvalidArgument.
base::Result<bool> rootless_of(std::string_view flag, cgroup::Driver driver);

/// Where containers are recorded without --root: /run/caisson/runtime, and for an ordinary user, or root of a user
/// namespace who is not root by $USER, `caisson/runtime` in $XDG_RUNTIME_DIR, which is made. Source: runc(8), "--root".
base::Result<std::string> default_state_root();

}  // namespace caisson_runtime
