#pragma once
/// A mount namespace in which nobody lives: a tree put together of several mounts that no process of the host can see,
/// for as long as its owner holds it. (A detached mount alone takes no further mounts below it before Linux 6.15.)
/// Sources: mount_namespaces(7), unshare(2).

#include "base/function_ref.h"
#include "base/result.h"
#include "sys/fd.h"

namespace sys {

struct PrivateMounts {
  UniqueFd mount_namespace;  ///< keeps the mounts; they go with its last copy
  UniqueFd root;             ///< what `build` returned
};

/// Runs `build` in a thread of its own in a new mount namespace, from which nothing spreads. It mounts there, by the
/// host's paths, and gives a descriptor into what it made.
base::Result<PrivateMounts> make_private_mounts(base::FunctionRef<base::Result<UniqueFd>()> build);

/// What is mounted at the root of a mount namespace (a file of it, /proc/<pid>/ns/mnt), detached and without the
/// mounts below it.
base::Result<UniqueFd> clone_root_mount(int mount_namespace);

}  // namespace sys
