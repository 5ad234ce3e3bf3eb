#include "sys/mount_namespace_copy.h"

#include <sys/mount.h>
#include <unistd.h>

#include "sys/file.h"
#include "sys/mount.h"
#include "sys/namespace.h"

namespace sys {

using base::Result;

Result<MountNamespaceCopy> MountNamespaceCopy::enter() {
  UniqueFd home = TRY(open_at(kCwd, "/proc/self/ns/mnt", O_RDONLY));
  UniqueFd directory = TRY(open_at(kCwd, ".", O_PATH | O_DIRECTORY));
  TRY(unshare_namespaces(CLONE_NEWNS).context("copy the mount namespace"));
  MountNamespaceCopy inside{std::move(home), std::move(directory)};
  TRY(change_mount_at("/", {.propagation = MS_SLAVE}, true).context("separate from the host's mounts"));
  return inside;
}

MountNamespaceCopy::~MountNamespaceCopy() {
  if (!home_) return;
  CAISSON_INVARIANT(enter_namespaces(home_.get(), CLONE_NEWNS).has_value());
  CAISSON_INVARIANT(::fchdir(directory_.get()) == 0);
}

}  // namespace sys
