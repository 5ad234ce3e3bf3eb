#pragma once
/// Messages between the thread that reads the feed and the one that sends, bounded by their bytes.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <vector>

#include "forward/message.h"
#include "forward/sink.h"

namespace forward {

class Queue {
 public:
  /// `grace`: how long after end_soon() or close() anything is waited for.
  Queue(const Sink::Patience& patience, std::chrono::nanoseconds grace) : patience_{patience}, grace_{grace} {}

  /// Waits for room, which holds the container back in time; while the receiver takes nothing and
  /// `patience` says not to wait for it, the message is lost instead.
  void push(Message message);
  /// The container has ended; what it has written may still come.
  void end_soon();
  /// No more will come.
  void close();

  /// What is there, at least one and at most about 64 KiB, and stays in the queue until drop(). Waits for
  /// it; empty once the queue is closed and empty.
  std::vector<Message> peek();
  void drop(std::size_t count);

  /// Whether the receiver takes messages, as the sender found.
  void set_failing(bool failing);
  /// Waits before the next try; false once the grace is over.
  bool pause(std::chrono::nanoseconds duration);

  [[nodiscard]] std::uint64_t lost() const;
  [[nodiscard]] std::size_t left() const;

 private:
  using Clock = std::chrono::steady_clock;

  const Sink::Patience patience_;
  const std::chrono::nanoseconds grace_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  std::deque<Message> messages_;
  std::size_t bytes_ = 0;
  std::uint64_t lost_ = 0;
  bool failing_ = false, closed_ = false;
  Clock::time_point ends_at_ = Clock::time_point::max();
};

}  // namespace forward
