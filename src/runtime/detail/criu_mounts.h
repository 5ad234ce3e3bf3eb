#pragma once
/// Mounts of a container that CRIU can't know how to make again: what stands on the host.
///
/// Each gets a name when it is dumped, and the name gets a source when it is restored:
///   a bind mount of the configuration   its destination there       its source there
///   a masked file                       "/dev/null"                 "/dev/null"
///   a device of the host                its path in the container   the same path on the host
///   a cgroup of a v1 hierarchy          its mount point             the new container's cgroup
/// All else (proc, sysfs, tmpfs with its files, devpts, mqueue, their parts that are read-only or covered)
/// is CRIU's to record and to make.

#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "base/result.h"
#include "cgroup/cgroup.h"
#include "runtime/detail/criu_rpc.h"
#include "spec/runtime_config.h"
#include "sys/fd.h"

namespace runtime::detail::criu {

/// A line of proc_pid_mountinfo(5).
struct MountEntry {
  std::uint64_t id = 0;
  std::string device;  ///< "0:31"
  std::string root;    ///< what of the file system is mounted
  std::string place;   ///< where, from the process's root
  std::string type;
};
/// Lines that are none are left out.
[[nodiscard]] std::vector<MountEntry> parse_mountinfo(std::string_view text);

/// For a dump: mount point and name. `binds` are the configuration's destinations; what is not mounted
/// there any more is left out. Errors: those of reading /proc.
base::Result<std::vector<ExternalMount>> mounts_to_dump(pid_t init, const std::vector<std::string>& binds);

/// For a restore: name and source.
[[nodiscard]] std::vector<ExternalMount> mounts_to_restore(const spec::oci::Spec& spec, const std::string& bundle,
                                                           const cgroup::Host& host, const cgroup::Cgroup& cgroup);

/// Makes what create would have made: the places where the configuration's mounts go, in the root or in
/// what is mounted there before. `top` is a directory of the calling process's own mount namespace; on it
/// stands afterwards `root`, a detached mount, for CRIU to restore the container in.
base::Result<> prepare_root(const spec::oci::Spec& spec, const std::string& bundle, const sys::UniqueFd& root,
                            const std::string& top);

}  // namespace runtime::detail::criu
