#pragma once
/// One thread that waits for many descriptors and deadlines.

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <unordered_map>

#include "base/result.h"
#include "sys/epoll.h"
#include "sys/stream_socket.h"

namespace http::detail {

/// Called on the reactor's thread, never while its lock is held. Must not block.
class Watcher {
 public:
  virtual ~Watcher() = default;
  virtual void on_ready(std::uint32_t events) = 0;
  virtual void on_deadline() = 0;
};

/// Threads: any.
class Reactor {
 public:
  using Token = std::uint64_t;

  /// Errors: Internal.
  static base::Result<std::unique_ptr<Reactor>> start();
  /// Stops the thread.
  ~Reactor();

  /// Registers a descriptor, disarmed. It stays the watcher's, which is kept alive until remove().
  base::Result<Token> add(int fd, std::shared_ptr<Watcher> watcher);
  /// The next of `events`, or else the deadline, calls the watcher once. Replaces what was armed.
  /// As soon as this returns, the watcher may have been called on the reactor's thread.
  void arm(Token token, std::uint32_t events, sys::Deadline deadline);
  /// A call that began already may still come.
  void remove(Token token);

 private:
  struct Entry {
    int fd;
    std::shared_ptr<Watcher> watcher;
    sys::Deadline deadline = sys::kNoDeadline;
  };

  Reactor(sys::Epoll epoll, sys::UniqueFd wake) : epoll_{std::move(epoll)}, wake_{std::move(wake)} {}
  void run(const std::stop_token& stop);
  void wake();
  void set_deadline_locked(Token token, Entry& entry, sys::Deadline deadline);
  sys::Deadline next_deadline();
  void dispatch(Token token, std::uint32_t events);
  void expire();

  sys::Epoll epoll_;
  sys::UniqueFd wake_;  ///< an eventfd, readable when the thread has to look again
  std::mutex mutex_;    // guards all below
  std::unordered_map<Token, Entry> entries_;
  std::set<std::pair<sys::Deadline, Token>> deadlines_;
  sys::Deadline sleeping_until_ = sys::Deadline::min();  ///< min: awake
  Token last_ = 0;
  std::jthread thread_;
};

}  // namespace http::detail
