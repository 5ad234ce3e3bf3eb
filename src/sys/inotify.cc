#include "sys/inotify.h"

#include <array>
#include <cerrno>

#include <unistd.h>

namespace sys {

using base::Error;
using base::Result;

Result<Inotify> Inotify::create() {
  UniqueFd fd{::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
  if (!fd) return Error::from_errno(errno, "inotify_init1");
  return Inotify{std::move(fd)};
}

Result<int> Inotify::watch(const std::string& path, std::uint32_t mask) {
  const int watch = ::inotify_add_watch(fd_.get(), path.c_str(), mask);
  if (watch < 0) {
    const int saved = errno;
    auto error = Error::from_errno(saved, "watch " + path);
    if (saved == ENOSPC) return std::move(error).as(base::ErrorKind::Unavailable);
    return error;
  }
  return watch;
}

void Inotify::remove(int watch) { ::inotify_rm_watch(fd_.get(), watch); }

void Inotify::drain() {
  alignas(::inotify_event) std::array<char, 4096> buffer{};
  while (::read(fd_.get(), buffer.data(), buffer.size()) > 0) {
  }
}

}  // namespace sys
