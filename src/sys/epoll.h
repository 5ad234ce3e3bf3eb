#pragma once
/// epoll(7) as a type. One thread waits; adding and removing is safe from any.

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include <sys/epoll.h>

#include "base/result.h"
#include "sys/fd.h"

namespace sys {

class Epoll {
 public:
  struct Ready {
    std::uint64_t token;
    std::uint32_t events;  ///< EPOLLIN, EPOLLOUT, EPOLLHUP, …
  };

  static base::Result<Epoll> create();

  /// `token` comes back in Ready. The descriptor stays the caller's; remove it before closing.
  base::Result<> add(int fd, std::uint32_t events, std::uint64_t token);
  base::Result<> modify(int fd, std::uint32_t events, std::uint64_t token);
  /// A descriptor that is not there is no error: it was closed, which removed it.
  void remove(int fd);
  /// Waits for events or `timeout`; nullopt waits for ever. Empty on timeout.
  base::Result<std::vector<Ready>> wait(std::optional<std::chrono::milliseconds> timeout);
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  explicit Epoll(UniqueFd fd) : fd_{std::move(fd)} {}
  UniqueFd fd_;
};

}  // namespace sys
