#include "sys/credentials.h"

#include <cerrno>

#include <fcntl.h>
#include <grp.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/format.h>

namespace sys {

using base::Error;
using base::Result;

void set_file_system_ids(uid_t uid, gid_t gid) {
  // While still root, so that both are allowed.
  if (uid != 0) {
    ::setfsgid(gid);
    ::setfsuid(uid);
  } else {
    ::setfsuid(uid);
    ::setfsgid(gid);
  }
}

Result<> set_groups(const std::vector<gid_t>& groups) {
  if (::syscall(SYS_setgroups, groups.size(), groups.data()) < 0) return Error::from_errno(errno, "setgroups");
  return {};
}

Result<std::vector<gid_t>> current_groups() {
  std::vector<gid_t> groups(static_cast<std::size_t>(std::max(0, ::getgroups(0, nullptr))));
  const int count = ::getgroups(static_cast<int>(groups.size()), groups.data());
  if (count < 0) return Error::from_errno(errno, "getgroups");
  groups.resize(static_cast<std::size_t>(count));
  return groups;
}

Result<> set_ids(uid_t uid, gid_t gid) {
  if (::syscall(SYS_setresgid, gid, gid, gid) < 0) return Error::from_errno(errno, fmt::format("set gid {}", gid));
  if (::syscall(SYS_setresuid, uid, uid, uid) < 0) return Error::from_errno(errno, fmt::format("set uid {}", uid));
  return {};
}

Result<> check_executable(const std::string& path) {
  if (::syscall(SYS_faccessat2, AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) < 0) {
    return Error::from_errno(errno, "execute " + path);
  }
  return {};
}

Result<> change_directory(const std::string& path) {
  if (::chdir(path.c_str()) < 0) return Error::from_errno(errno, "chdir to " + path);
  return {};
}

Result<> change_directory(int directory) {
  if (::fchdir(directory) < 0) return Error::from_errno(errno, "fchdir");
  return {};
}

Result<std::string> working_directory() {
  std::string out(4096, '\0');
  const auto length = ::syscall(SYS_getcwd, out.data(), out.size());
  if (length < 0) return Error::from_errno(errno, "getcwd");
  out.resize(static_cast<std::size_t>(length - 1));
  return out;
}

mode_t set_umask(mode_t mask) { return ::umask(mask); }

}  // namespace sys
