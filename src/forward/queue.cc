#include "forward/queue.h"

#include <algorithm>

namespace forward {
namespace {

constexpr std::size_t kBatch = 64 * 1024;

/// An empty line costs, too.
std::size_t cost(const Message& message) { return message.line.size() + sizeof(Message); }

}  // namespace

void Queue::push(Message message) {
  std::unique_lock lock{mutex_};
  const std::size_t more = cost(message);
  const auto fits = [&] { return messages_.empty() || bytes_ + more <= patience_.bytes; };
  const auto decided = [&] { return fits() || (failing_ && !patience_.holds_back) || Clock::now() >= ends_at_; };
  // Another end may be set while this waits, so that the time to wait for is looked at each time.
  while (!decided()) {
    if (ends_at_ == Clock::time_point::max()) {
      changed_.wait(lock);
    } else {
      changed_.wait_until(lock, ends_at_);
    }
  }
  if (!fits()) {
    ++lost_;
    return;
  }
  bytes_ += more;
  messages_.push_back(std::move(message));
  changed_.notify_all();
}

void Queue::end_soon() {
  const std::lock_guard lock{mutex_};
  if (ends_at_ == Clock::time_point::max()) ends_at_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(grace_);
  changed_.notify_all();
}

void Queue::close() {
  end_soon();
  const std::lock_guard lock{mutex_};
  closed_ = true;
  changed_.notify_all();
}

std::vector<Message> Queue::peek() {
  std::unique_lock lock{mutex_};
  changed_.wait(lock, [&] { return !messages_.empty() || closed_; });
  std::vector<Message> out;
  std::size_t bytes = 0;
  for (const Message& message : messages_) {
    if (!out.empty() && bytes + cost(message) > kBatch) break;
    bytes += cost(message);
    out.push_back(message);
  }
  return out;
}

void Queue::drop(std::size_t count) {
  const std::lock_guard lock{mutex_};
  for (; count > 0 && !messages_.empty(); --count) {
    bytes_ -= cost(messages_.front());
    messages_.pop_front();
  }
  changed_.notify_all();
}

void Queue::set_failing(bool failing) {
  const std::lock_guard lock{mutex_};
  failing_ = failing;
  changed_.notify_all();
}

bool Queue::pause(std::chrono::nanoseconds duration) {
  std::unique_lock lock{mutex_};
  const auto until = Clock::now() + std::chrono::duration_cast<Clock::duration>(duration);
  while (Clock::now() < ends_at_) {
    if (Clock::now() >= until) return true;
    changed_.wait_until(lock, std::min(until, ends_at_));
  }
  return false;
}

std::uint64_t Queue::lost() const {
  const std::lock_guard lock{mutex_};
  return lost_;
}

std::size_t Queue::left() const {
  const std::lock_guard lock{mutex_};
  return messages_.size();
}

}  // namespace forward
