#pragma once
/// The HTTP/1.1 server: straight-line handlers on a bounded pool of threads with small stacks, one
/// reactor thread for everything that merely waits (new and idle connections, clients that go away).
/// An idle connection costs a descriptor and about a kilobyte, no thread.

#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

#include "base/result.h"
#include "http/exchange.h"
#include "http/listener.h"

namespace http {

struct ServerOptions {
  /// Threads start when a request finds none idle, and end after `thread_idle`. A request that waits
  /// (wait, events, logs -f) holds one, about 20 KiB of memory; when all are held, others queue.
  std::size_t max_threads = 4096;
  std::size_t thread_stack = 256 * 1024;  ///< bytes
  std::chrono::milliseconds thread_idle{10'000};
  /// At the limit the longest idle connection is closed for a new one; if none is idle, new ones
  /// wait in the kernel's backlog.
  std::size_t max_connections = 8192;
  std::size_t max_head = 256 * 1024;                ///< bytes of request line and header fields
  std::chrono::milliseconds head_timeout{30'000};   ///< from the first byte to the end of the head
  std::chrono::milliseconds idle_timeout{300'000};  ///< between two requests
  std::chrono::milliseconds body_timeout{300'000};  ///< between two pieces of a body
};

class Server {
 public:
  /// `handler` outlives the server. Errors: Internal (the kernel refused epoll or a thread).
  static base::Result<std::unique_ptr<Server>> start(Handler& handler, std::vector<Listener> listeners,
                                                     const ServerOptions& options = {});
  /// As stop(0), then waits for every handler to return.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Closes the listening sockets and idle connections and fires the stop tokens of running requests,
  /// so that those that merely wait (events, wait, logs -f) end at once; lets the others end for up to
  /// `grace`, then breaks their connections. Says how many handlers have not returned even so (waits
  /// one more second for them). Once.
  std::size_t stop(std::chrono::milliseconds grace);

  /// The listening sockets once more, for a server that is to follow this one: what connects after stop() waits for it. Before stop().
  base::Result<std::vector<Listener>> duplicate_listeners() const;

  /// The listeners' names, with the ports they got.
  [[nodiscard]] const std::vector<std::string>& names() const;

  struct Counters {
    std::size_t connections;  ///< open, without hijacked ones
    std::size_t threads;      ///< of the pool
    std::size_t running;      ///< handlers
  };
  [[nodiscard]] Counters counters() const;

  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace http
