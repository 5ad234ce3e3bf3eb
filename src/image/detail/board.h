#pragma once
/// Which layers are needed right now, and who is making which.
///
/// A Pin keeps layers from being removed. A claim is the right to make a layer; there is one at a
/// time, and who has none waits for the other to commit or to give up. Nobody waits while holding a
/// claim whose layer could be committed, so waits never form a circle: of all layers that are not there
/// yet, the claimer of a lowest one waits for nobody.
///
/// Threads: any.

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "base/function_ref.h"
#include "base/result.h"

namespace image::detail {

class Board;

class Pin {
 public:
  Pin(Board& board, std::vector<std::string> chain_ids);
  ~Pin();
  Pin(const Pin&) = delete;
  Pin& operator=(const Pin&) = delete;

 private:
  Board& board_;
  const std::vector<std::string> chain_ids_;
};

class Board {
 public:
  bool claim(const std::string& chain_id);
  void unclaim(const std::string& chain_id);
  /// Counts `unclaim`s. Read it, look around, then wait for it to change.
  [[nodiscard]] std::uint64_t generation() const;
  /// Errors: Unavailable when `stop` was requested.
  base::Result<> wait_for_change(std::uint64_t seen, const std::stop_token& stop);

  /// Runs `remove` unless the layer is pinned; nobody can pin it meanwhile. False if pinned.
  base::Result<bool> remove_unpinned(const std::string& chain_id,
                                     base::FunctionRef<base::Result<bool>()> remove);

 private:
  friend class Pin;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<std::string, int> pins_;
  std::set<std::string> claims_;
  std::uint64_t generation_ = 0;
};

/// The claims of one pull; what was not given up goes back at the end.
class Claims {
 public:
  explicit Claims(Board& board) : board_{board} {}
  ~Claims();
  Claims(const Claims&) = delete;
  Claims& operator=(const Claims&) = delete;
  bool take(const std::string& chain_id);
  void give_back(const std::string& chain_id);
  [[nodiscard]] bool has(const std::string& chain_id) const { return mine_.contains(chain_id); }

 private:
  Board& board_;
  std::set<std::string> mine_;
};

/// At most `count` holders at a time, in all pulls together.
class Slots {
 public:
  explicit Slots(int count) : free_{count} {}
  /// Errors: Unavailable when `stop` was requested.
  base::Result<> take(const std::stop_token& stop);
  void give_back();
  /// From here on there are `by` more, or fewer once they are given back.
  void grow(int by);

 private:
  std::mutex mutex_;
  std::condition_variable_any freed_;
  int free_;
};

}  // namespace image::detail
