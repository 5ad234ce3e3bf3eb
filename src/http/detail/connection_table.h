#pragma once
/// The open connections of a server: how many, which are idle and for how long, which are busy.
/// Threads: any. Calls no connection while its lock is held.

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "sys/stream_socket.h"

namespace http::detail {

class Connection;

/// Whether a parked connection is between two requests, so that closing it loses nothing.
enum class Idle : bool { No, Yes };

class ConnectionTable {
 public:
  using Token = std::uint64_t;

  void add(Token token, std::shared_ptr<Connection> connection);
  /// Says whether somebody waits for room.
  bool remove(Token token);
  void parked(Token token, Idle idle);
  void busy(Token token);

  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] std::size_t busy_count() const;
  /// The one that has been idle for longest, or null. Until it is parked again it is no longer idle.
  std::shared_ptr<Connection> take_oldest_idle();
  /// True when `most` are open; then the next remove() says true.
  bool wants_room(std::size_t most);
  [[nodiscard]] std::vector<std::shared_ptr<Connection>> all() const;
  /// False at the deadline.
  bool wait_until_none_busy(sys::Deadline deadline);

 private:
  struct Entry {
    std::shared_ptr<Connection> connection;
    bool busy = true;
    std::list<Token>::iterator idle_at;  ///< end() if it is not idle
  };
  void set_busy_locked(Entry& entry, bool busy);

  mutable std::mutex mutex_;  // guards all below
  std::condition_variable none_busy_;
  std::unordered_map<Token, Entry> entries_;
  std::list<Token> idle_;  ///< longest first
  std::size_t busy_ = 0;
  bool room_wanted_ = false;
};

}  // namespace http::detail
