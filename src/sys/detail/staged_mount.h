#pragma once
/// The mount calls of sys/mount.h by mount(2), for kernels before 5.12.
///
/// What is detached there stands on a staging tmpfs here: made and given its attributes where no path of
/// the container leads, then moved to its place by MS_MOVE between two descriptors (/proc/self/fd). The
/// staging tmpfs lies on top of "/" of a mount namespace of the process's own, and goes with the old
/// root. Weaker: no id-mapped mounts, and what is staged must be within reach of the process by path.

#include "base/result.h"
#include "sys/fd.h"
#include "sys/mount.h"

namespace sys::detail {

[[nodiscard]] bool staging();
base::Result<> start_staging();

base::Result<UniqueFd> stage_file_system(const NewMount& mount);
base::Result<UniqueFd> stage_clone(int dir, const std::string& path, bool recursive);
base::Result<> change_staged(int mount, const MountChange& change, bool recursive);
base::Result<> change_staged_at(const std::string& path, const MountChange& change, bool recursive);
base::Result<> move_staged(int mount, int target);

}  // namespace sys::detail
