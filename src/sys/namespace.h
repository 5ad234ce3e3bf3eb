#pragma once
/// Namespaces: making, entering, mapping ids. Sources: clone3(2) in clone(2), setns(2), unshare(2),
/// user_namespaces(7).

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/result.h"
#include "sys/fd.h"
#include "sys/process.h"

namespace sys {

struct CloneOptions {
  std::uint64_t flags = 0;  ///< CLONE_NEW*, CLONE_PARENT
  int cgroup = -1;          ///< a v2 directory for the child to start in (CLONE_INTO_CGROUP)
};

/// Copies the calling, single-threaded process as fork(2) does. In the parent the child's Process,
/// in the child an invalid one.
base::Result<Process> clone_process(const CloneOptions& options);

/// Moves the caller into new namespaces (not the PID one, which only children enter).
base::Result<> unshare_namespaces(int flags);
/// Moves the caller into the namespaces `flags` of a namespace file or of the process behind a pidfd.
base::Result<> enter_namespaces(int fd, int flags);
/// Time namespace for children → for the caller itself.
base::Result<> enter_time_namespace();
/// "0" for a namespace file of another kind than CLONE_NEW… flag `type`.
base::Result<int> namespace_type(int fd);

struct IdRange {
  std::uint32_t inside;
  std::uint32_t outside;
  std::uint32_t count;
};
/// Writes /proc/<pid>/uid_map and gid_map. Errors: PermissionDenied, InvalidArgument.
base::Result<> write_id_maps(pid_t pid, std::span<const IdRange> uids, std::span<const IdRange> gids);
/// A user namespace with these maps that nobody lives in, for id-mapped mounts.
base::Result<UniqueFd> make_user_namespace(std::span<const IdRange> uids, std::span<const IdRange> gids);

base::Result<> set_host_name(const std::string& name);
base::Result<> set_domain_name(const std::string& name);

/// Brings `lo` up in the caller's network namespace.
base::Result<> bring_up_loopback();

}  // namespace sys
