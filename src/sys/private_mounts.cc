#include "sys/private_mounts.h"

#include <cerrno>
#include <optional>
#include <thread>

#include <sched.h>
#include <sys/mount.h>

#include "sys/file.h"

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

}  // namespace

Result<PrivateMounts> make_private_mounts(base::FunctionRef<Result<UniqueFd>()> build) {
  std::optional<Result<PrivateMounts>> result;
  std::thread{[&] { result = make_here(build); }}.join();
  return std::move(*result);
}

}  // namespace sys
