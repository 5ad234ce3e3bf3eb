#include "sys/private_mounts.h"

#include <cerrno>
#include <optional>
#include <thread>

#include <sched.h>
#include <sys/mount.h>

#include "sys/file.h"
#include "sys/mount.h"
#include "sys/namespace.h"

namespace sys {

using base::Error;
using base::Result;

namespace {

Result<PrivateMounts> make_here(base::FunctionRef<Result<UniqueFd>()> build) {
  if (::unshare(CLONE_FS | CLONE_NEWNS) < 0) return Error::from_errno(errno, "unshare the mount namespace");
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0) {
    return Error::from_errno(errno, "make mounts private");
  }
  PrivateMounts made;
  made.mount_namespace = TRY(open_at(kCwd, "/proc/thread-self/ns/mnt", O_RDONLY));
  made.root = TRY(build());
  return made;
}

Result<UniqueFd> clone_root_from(int mount_namespace) {
  if (::unshare(CLONE_FS) < 0) return Error::from_errno(errno, "unshare the working directory");
  TRY(enter_namespaces(mount_namespace, CLONE_NEWNS));
  return clone_mount(kCwd, "/", false);
}

}  // namespace

Result<UniqueFd> clone_root_mount(int mount_namespace) {
  std::optional<Result<UniqueFd>> result;
  std::thread{[&] { result = clone_root_from(mount_namespace); }}.join();
  return std::move(*result);
}

Result<PrivateMounts> make_private_mounts(base::FunctionRef<Result<UniqueFd>()> build) {
  std::optional<Result<PrivateMounts>> result;
  std::thread{[&] { result = make_here(build); }}.join();
  return std::move(*result);
}

}  // namespace sys
