#pragma once
/// The id maps of a new user namespace. Who is not root may map only itself; for the ranges of
/// /etc/subuid and /etc/subgid there are the setuid programs newuidmap(1) and newgidmap(1).

#include <span>

#include <sys/types.h>

#include "base/result.h"
#include "sys/namespace.h"

namespace runtime::detail {

/// Errors: PermissionDenied, InvalidArgument, and what a helper said; NotFound when it is needed and is
/// not in $PATH.
base::Result<> map_ids(pid_t pid, std::span<const sys::IdRange> uids, std::span<const sys::IdRange> gids);

}  // namespace runtime::detail
