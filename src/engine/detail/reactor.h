#pragma once
/// The one thread that waits for what merely waits: shims' connections and timers. Handlers run on it,
/// so they are quick and never block; slow work goes to Workers.

#include <chrono>
#include <cstdint>
#include <memory>

#include "base/result.h"
#include "engine/detail/task.h"

namespace engine {

class ReadyHandler {
 public:
  virtual ~ReadyHandler() = default;
  /// The descriptor is readable or hung up (level-triggered). False: take it out.
  virtual bool on_ready() = 0;
};

class Reactor {
 public:
  using TimerId = std::uint64_t;

  static base::Result<std::unique_ptr<Reactor>> start();
  /// Ends the thread. Handlers and timers that are left are dropped.
  ~Reactor();
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;

  /// The descriptor stays the handler's; it is open until `remove` or until on_ready said false.
  base::Result<> add(int fd, std::shared_ptr<ReadyHandler> handler);
  /// A call of the handler that runs already may still be running afterwards.
  void remove(int fd);

  TimerId after(std::chrono::milliseconds delay, Task task);
  /// False when it has run or is running.
  bool cancel(TimerId timer);

 private:
  struct State;
  explicit Reactor(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace engine
