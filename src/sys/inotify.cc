#include "sys/inotify.h"

#include <array>
#include <cerrno>

#include <sys/timerfd.h>
#include <unistd.h>

namespace sys {

using base::Error;
using base::Result;

Result<Inotify> Inotify::create() {
  UniqueFd fd{::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
  if (!fd && errno == EMFILE) return create_ticking();
  if (!fd) return Error::from_errno(errno, "inotify_init1");
  return Inotify{std::move(fd), false};
}

Result<Inotify> Inotify::create_ticking() {
  UniqueFd fd{::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)};
  if (!fd) return Error::from_errno(errno, "timerfd_create");
  constexpr ::timespec kTick{.tv_sec = 0, .tv_nsec = 100'000'000};
  const ::itimerspec ticks{.it_interval = kTick, .it_value = kTick};
  if (::timerfd_settime(fd.get(), 0, &ticks, nullptr) < 0) return Error::from_errno(errno, "timerfd_settime");
  return Inotify{std::move(fd), true};
}

Result<int> Inotify::watch(const std::string& path, std::uint32_t mask) {
  if (ticks_) {
    if (::access(path.c_str(), F_OK) < 0) return Error::from_errno(errno, "watch " + path);
    return 0;
  }
  const int watch = ::inotify_add_watch(fd_.get(), path.c_str(), mask);
  if (watch < 0) {
    const int saved = errno;
    auto error = Error::from_errno(saved, "watch " + path);
    if (saved == ENOSPC) return std::move(error).as(base::ErrorKind::Unavailable);
    return error;
  }
  return watch;
}

void Inotify::remove(int watch) {
  if (!ticks_) ::inotify_rm_watch(fd_.get(), watch);
}

void Inotify::drain() {
  alignas(::inotify_event) std::array<char, 4096> buffer{};
  while (::read(fd_.get(), buffer.data(), buffer.size()) > 0) {
  }
}

}  // namespace sys
