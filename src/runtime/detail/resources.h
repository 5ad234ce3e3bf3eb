#pragma once
/// From the configuration's `resources` to the cgroup's.

#include "base/result.h"
#include "cgroup/resources.h"
#include "spec/runtime_linux.h"

namespace runtime::detail {

/// With the device list of a new container: the configured rules, then what every container may use
/// (make any node; null, zero, full, random, urandom, tty, console, ptmx, its ptys).
/// Errors: InvalidArgument.
base::Result<cgroup::Resources> resources_for_create(const spec::oci::Resources& wanted);
/// With devices only if there are any, and on v2: v1 cannot replace a list without a moment in which everything is
/// denied, nor while there are cgroups below.
base::Result<cgroup::Resources> resources_for_update(const spec::oci::Resources& wanted, bool v2);

}  // namespace runtime::detail
