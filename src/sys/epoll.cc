#include "sys/epoll.h"

#include <array>
#include <cerrno>

#include "sys/detail/retry.h"

namespace sys {

using base::Error;
using base::Result;

Result<Epoll> Epoll::create() {
  UniqueFd fd{::epoll_create1(EPOLL_CLOEXEC)};
  if (!fd) return Error::from_errno(errno, "epoll_create1");
  return Epoll{std::move(fd)};
}

Result<> Epoll::add(int fd, std::uint32_t events, std::uint64_t token) {
  epoll_event event{events, {.u64 = token}};
  if (::epoll_ctl(fd_.get(), EPOLL_CTL_ADD, fd, &event) < 0) return Error::from_errno(errno, "epoll_ctl add");
  return {};
}

Result<> Epoll::modify(int fd, std::uint32_t events, std::uint64_t token) {
  epoll_event event{events, {.u64 = token}};
  if (::epoll_ctl(fd_.get(), EPOLL_CTL_MOD, fd, &event) < 0) {
    return Error::from_errno(errno, "epoll_ctl modify");
  }
  return {};
}

void Epoll::remove(int fd) { ::epoll_ctl(fd_.get(), EPOLL_CTL_DEL, fd, nullptr); }

Result<std::vector<Epoll::Ready>> Epoll::wait(std::optional<std::chrono::milliseconds> timeout) {
  std::array<epoll_event, 64> events{};
  const int millis = timeout ? static_cast<int>(timeout->count()) : -1;
  const int count = detail::retry(
      [&] { return ::epoll_wait(fd_.get(), events.data(), static_cast<int>(events.size()), millis); });
  if (count < 0) return Error::from_errno(errno, "epoll_wait");
  std::vector<Ready> ready;
  for (int i = 0; i < count; ++i) {
    const auto& event = events[static_cast<std::size_t>(i)];
    ready.push_back({event.data.u64, event.events});
  }
  return ready;
}

}  // namespace sys
