#include "sys/detail/close_one_by_one.h"

#include <array>
#include <cstdlib>

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace sys::detail {

namespace {

void close_one(unsigned fd, bool on_exec_only) {
  if (on_exec_only) {
    ::fcntl(static_cast<int>(fd), F_SETFD, FD_CLOEXEC);
  } else {
    ::close(static_cast<int>(fd));
  }
}

/// Where no procfs shows this process: every number that there can be.
bool close_all_numbers(unsigned first, unsigned last, bool on_exec_only) {
  struct ::rlimit limit {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) < 0) return false;
  for (unsigned fd = first; fd <= last && fd < limit.rlim_cur; ++fd) close_one(fd, on_exec_only);
  return true;
}

}  // namespace

bool close_one_by_one(unsigned first, unsigned last, bool on_exec_only) {
  const int list = ::open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (list < 0) return close_all_numbers(first, last, on_exec_only);
  // Closing while reading may make the list skip some: again, until nothing is found to close.
  for (bool again = true; again;) {
    again = false;
    if (::lseek(list, 0, SEEK_SET) < 0) return false;
    alignas(::dirent64) std::array<char, 4096> buffer{};
    while (true) {
      const auto length = ::syscall(SYS_getdents64, list, buffer.data(), buffer.size());
      if (length < 0) return false;
      if (length == 0) break;
      for (long at = 0; at < length;) {
        const auto* entry = reinterpret_cast<const ::dirent64*>(buffer.data() + at);
        at += entry->d_reclen;
        if (entry->d_name[0] < '0' || entry->d_name[0] > '9') continue;
        const auto fd = static_cast<unsigned>(std::strtoul(entry->d_name, nullptr, 10));
        if (fd < first || fd > last || fd == static_cast<unsigned>(list)) continue;
        close_one(fd, on_exec_only);
        again = again || !on_exec_only;
      }
    }
  }
  ::close(list);
  return true;
}

}  // namespace sys::detail
