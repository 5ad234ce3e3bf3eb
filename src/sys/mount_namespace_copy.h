#pragma once
/// Mounts that nobody else sees, for a program that wants to find something at a path.

#include <sched.h>

#include "base/result.h"
#include "sys/fd.h"

namespace sys {

/// The calling process in a copy of its mount namespace, until the guard goes. The copy gets the host's
/// later mounts and sends none back. Programs spawned meanwhile stay in it; the kernel removes it, and
/// everything that was mounted in it, with the last of them, however they and we end.
///
/// The working directory is kept, the root directory becomes the namespace's. Threads: the process must
/// have one. Source: mount_namespaces(7), setns(2).
class MountNamespaceCopy {
 public:
  /// Errors: PermissionDenied, Internal; then nothing has changed.
  static base::Result<MountNamespaceCopy> enter();
  MountNamespaceCopy(MountNamespaceCopy&&) noexcept = default;
  MountNamespaceCopy& operator=(MountNamespaceCopy&&) = delete;
  /// Goes back. A process that can't would act on the wrong files: that aborts.
  ~MountNamespaceCopy();

 private:
  MountNamespaceCopy(UniqueFd home, UniqueFd directory) : home_{std::move(home)}, directory_{std::move(directory)} {}
  UniqueFd home_;
  UniqueFd directory_;
};

}  // namespace sys
