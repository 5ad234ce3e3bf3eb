#include "sys/namespace.h"

#include <cerrno>
#include <csignal>
#include <cstring>

#include <linux/nsfs.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/scope_guard.h"
#include "sys/file.h"

namespace sys {

using base::Error;
using base::Result;

namespace {

/// For kernels without clone3(2), or where it can't place the child in a cgroup (before 5.7): the
/// parent does, while the child waits for it anyway.
Result<Process> clone_and_place(const CloneOptions& options) {
  int pidfd = -1;
  const unsigned long exit_signal = (options.flags & CLONE_PARENT) != 0 ? 0 : SIGCHLD;
  const auto pid = ::syscall(SYS_clone, options.flags | CLONE_PIDFD | exit_signal, nullptr, &pidfd, nullptr, nullptr);
  if (pid < 0) return Error::from_errno(errno, "clone");
  if (pid == 0) return Process{};
  Process child{static_cast<pid_t>(pid), UniqueFd{pidfd}};
  if (options.cgroup < 0) return child;
  auto placed = write_file(options.cgroup, "cgroup.procs", fmt::format("{}", pid));
  if (placed) return child;
  base::ignore(child.signal(SIGKILL), "it may have ended");
  base::ignore(child.wait(), "only to reap it");
  return std::move(placed).error();
}

}  // namespace

Result<Process> clone_process(const CloneOptions& options) {
  int pidfd = -1;
  struct ::clone_args arguments {};
  arguments.flags = options.flags | CLONE_PIDFD;
  arguments.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
  arguments.exit_signal = (options.flags & CLONE_PARENT) != 0 ? 0 : SIGCHLD;
  if (options.cgroup >= 0) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = static_cast<std::uint64_t>(options.cgroup);
  }
  const auto pid = ::syscall(SYS_clone3, &arguments, sizeof arguments);
  if (pid < 0) {
    const int saved = errno;
    // E2BIG, EINVAL: an older struct clone_args, or a flag that it does not have.
    const bool too_old = saved == ENOSYS || (options.cgroup >= 0 && (saved == E2BIG || saved == EINVAL));
    if (too_old) return clone_and_place(options);
    if (saved == ENOSPC) {
      return Error{base::ErrorKind::Internal, saved,
                   "clone3: too many namespaces (see /proc/sys/user/max_*_namespaces)"};
    }
    return Error::from_errno(saved, "clone3");
  }
  if (pid == 0) return Process{};
  return Process{static_cast<pid_t>(pid), UniqueFd{pidfd}};
}

Result<> unshare_namespaces(int flags) {
  if (::unshare(flags) < 0) return Error::from_errno(errno, "unshare");
  return {};
}

Result<> enter_namespaces(int fd, int flags) {
  if (::setns(fd, flags) < 0) return Error::from_errno(errno, "setns");
  return {};
}

Result<> enter_time_namespace() {
  const UniqueFd file = TRY(open_at(kCwd, "/proc/self/ns/time_for_children", O_RDONLY));
  return enter_namespaces(file.get(), CLONE_NEWTIME).context("enter the time namespace");
}

Result<int> namespace_type(int fd) {
  const int type = ::ioctl(fd, NS_GET_NSTYPE);
  if (type < 0) return Error::from_errno(errno, "ask for a namespace's type");
  return type;
}

namespace {

std::string map_text(std::span<const IdRange> ranges) {
  std::string text;
  for (const auto& range : ranges) {
    text += fmt::format("{} {} {}\n", range.inside, range.outside, range.count);
  }
  return text;
}

}  // namespace

Result<> write_id_maps(pid_t pid, std::span<const IdRange> uids, std::span<const IdRange> gids) {
  const UniqueFd dir = TRY(open_at(kCwd, fmt::format("/proc/{}", pid), O_PATH | O_DIRECTORY));
  TRY(write_file(dir.get(), "uid_map", map_text(uids)));
  auto written = write_file(dir.get(), "gid_map", map_text(gids));
  if (!written && written.error().errno_value() == EPERM && ::geteuid() != 0) {
    // An unprivileged writer must give up setgroups(2) first: user_namespaces(7).
    TRY(write_file(dir.get(), "setgroups", "deny"));
    written = write_file(dir.get(), "gid_map", map_text(gids));
  }
  return written;
}

Result<UniqueFd> make_user_namespace(std::span<const IdRange> uids, std::span<const IdRange> gids) {
  Process child = TRY(clone_process({.flags = CLONE_NEWUSER}));
  if (!child.valid()) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    while (true) ::pause();
  }
  const base::ScopeGuard reap{[&] {
    base::ignore(child.signal(SIGKILL), "it may be gone");
    base::ignore(child.wait(), "only to reap it");
  }};
  TRY(write_id_maps(child.pid(), uids, gids));
  return open_at(kCwd, fmt::format("/proc/{}/ns/user", child.pid()), O_RDONLY);
}

Result<> set_host_name(const std::string& name) {
  if (::sethostname(name.data(), name.size()) < 0) return Error::from_errno(errno, "set host name " + name);
  return {};
}

Result<> set_domain_name(const std::string& name) {
  if (::setdomainname(name.data(), name.size()) < 0) return Error::from_errno(errno, "set domain name " + name);
  return {};
}

Result<> bring_up_loopback() {
  const UniqueFd socket{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  if (!socket) return Error::from_errno(errno, "socket");
  struct ::ifreq request {};
  std::memcpy(request.ifr_name, "lo", 3);
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  if (::ioctl(socket.get(), SIOCSIFFLAGS, &request) < 0) return Error::from_errno(errno, "bring up lo");
  return {};
}

}  // namespace sys
