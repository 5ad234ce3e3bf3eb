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
/// Without devices, which an update leaves alone.
base::Result<cgroup::Resources> resources_for_update(const spec::oci::Resources& wanted);

}  // namespace runtime::detail
