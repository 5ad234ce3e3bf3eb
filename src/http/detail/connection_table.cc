#include "http/detail/connection_table.h"

namespace http::detail {

void ConnectionTable::add(Token token, std::shared_ptr<Connection> connection) {
  const std::lock_guard lock{mutex_};
  entries_.emplace(token, Entry{std::move(connection), true, idle_.end()});
  ++busy_;
}

bool ConnectionTable::remove(Token token) {
  std::shared_ptr<Connection> last;  // destroyed after the lock is released
  const std::lock_guard lock{mutex_};
  const auto at = entries_.find(token);
  if (at == entries_.end()) return false;
  set_busy_locked(at->second, false);
  if (at->second.idle_at != idle_.end()) idle_.erase(at->second.idle_at);
  last = std::move(at->second.connection);
  entries_.erase(at);
  return std::exchange(room_wanted_, false);
}

void ConnectionTable::parked(Token token, Idle idle) {
  const std::lock_guard lock{mutex_};
  const auto at = entries_.find(token);
  if (at == entries_.end()) return;
  set_busy_locked(at->second, false);
  if (idle == Idle::Yes) at->second.idle_at = idle_.insert(idle_.end(), token);
}

void ConnectionTable::busy(Token token) {
  const std::lock_guard lock{mutex_};
  const auto at = entries_.find(token);
  if (at == entries_.end()) return;
  set_busy_locked(at->second, true);
  if (at->second.idle_at != idle_.end()) idle_.erase(std::exchange(at->second.idle_at, idle_.end()));
}

void ConnectionTable::set_busy_locked(Entry& entry, bool busy) {
  if (entry.busy == busy) return;
  entry.busy = busy;
  busy_ += busy ? 1U : static_cast<std::size_t>(-1);
  if (busy_ == 0) none_busy_.notify_all();
}

std::size_t ConnectionTable::size() const {
  const std::lock_guard lock{mutex_};
  return entries_.size();
}

std::size_t ConnectionTable::busy_count() const {
  const std::lock_guard lock{mutex_};
  return busy_;
}

std::shared_ptr<Connection> ConnectionTable::take_oldest_idle() {
  const std::lock_guard lock{mutex_};
  if (idle_.empty()) return nullptr;
  Entry& entry = entries_.at(idle_.front());
  idle_.erase(std::exchange(entry.idle_at, idle_.end()));
  return entry.connection;
}

bool ConnectionTable::wants_room(std::size_t most) {
  const std::lock_guard lock{mutex_};
  if (entries_.size() >= most) room_wanted_ = true;
  return entries_.size() >= most;
}

std::vector<std::shared_ptr<Connection>> ConnectionTable::all() const {
  const std::lock_guard lock{mutex_};
  std::vector<std::shared_ptr<Connection>> out;
  for (const auto& [token, entry] : entries_) out.push_back(entry.connection);
  return out;
}

bool ConnectionTable::wait_until_none_busy(sys::Deadline deadline) {
  std::unique_lock lock{mutex_};
  return none_busy_.wait_until(lock, deadline, [&] { return busy_ == 0; });
}

}  // namespace http::detail
