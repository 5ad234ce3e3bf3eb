#pragma once
/// The shim's only thread waits here.

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.h"
#include "sys/epoll.h"

namespace shim::detail {

using Clock = std::chrono::steady_clock;

/// Is told when a descriptor of its is ready. `fd` tells which, `events` are EPOLL*.
class Handler {
 public:
  virtual void on_ready(int fd, std::uint32_t events) = 0;

 protected:
  ~Handler() = default;
};

class EventLoop {
 public:
  static base::Result<EventLoop> create();

  /// The descriptor stays the caller's; remove it before it is closed. Level-triggered. Events that
  /// are already on their way are dropped by remove().
  base::Result<> add(int fd, std::uint32_t events, Handler& handler);
  void modify(int fd, std::uint32_t events);
  void remove(int fd);

  /// Handles what is ready, waiting for it at most until `deadline`. False when the deadline passed
  /// with nothing ready.
  base::Result<bool> run_once(std::optional<Clock::time_point> deadline);

 private:
  struct Watched {
    int fd = -1;
    std::uint32_t generation = 0;  ///< a slot is used again; an event of its former fd must not count
    Handler* handler = nullptr;
  };
  explicit EventLoop(sys::Epoll epoll) : epoll_{std::move(epoll)} {}
  Watched* find(int fd);

  sys::Epoll epoll_;
  std::vector<Watched> slots_;
};

}  // namespace shim::detail
