#include "image/detail/board.h"

#include <utility>

namespace image::detail {

using base::Result;

Pin::Pin(Board& board, std::vector<std::string> chain_ids) : board_{board}, chain_ids_{std::move(chain_ids)} {
  const std::scoped_lock lock{board_.mutex_};
  for (const auto& chain_id : chain_ids_) ++board_.pins_[chain_id];
}

Pin::~Pin() {
  const std::scoped_lock lock{board_.mutex_};
  for (const auto& chain_id : chain_ids_) {
    const auto it = board_.pins_.find(chain_id);
    if (--it->second == 0) board_.pins_.erase(it);
  }
}

bool Board::claim(const std::string& chain_id) {
  const std::scoped_lock lock{mutex_};
  return claims_.insert(chain_id).second;
}

void Board::unclaim(const std::string& chain_id) {
  const std::scoped_lock lock{mutex_};
  claims_.erase(chain_id);
  ++generation_;
  changed_.notify_all();
}

std::uint64_t Board::generation() const {
  const std::scoped_lock lock{mutex_};
  return generation_;
}

Result<> Board::wait_for_change(std::uint64_t seen, const std::stop_token& stop) {
  std::unique_lock lock{mutex_};
  if (!changed_.wait(lock, stop, [&] { return generation_ != seen; }))
    return base::unavailable("context canceled");
  return {};
}

Result<bool> Board::remove_unpinned(const std::string& chain_id, base::FunctionRef<Result<bool>()> remove) {
  const std::scoped_lock lock{mutex_};
  if (pins_.contains(chain_id)) return false;
  return remove();
}

Claims::~Claims() {
  while (!mine_.empty()) give_back(std::string{*mine_.begin()});
}

bool Claims::take(const std::string& chain_id) {
  if (!board_.claim(chain_id)) return false;
  mine_.insert(chain_id);
  return true;
}

void Claims::give_back(const std::string& chain_id) {
  mine_.erase(chain_id);
  board_.unclaim(chain_id);
}

Result<> Slots::take(const std::stop_token& stop) {
  std::unique_lock lock{mutex_};
  if (!freed_.wait(lock, stop, [&] { return free_ > 0; })) return base::unavailable("context canceled");
  --free_;
  return {};
}

void Slots::give_back() {
  const std::scoped_lock lock{mutex_};
  ++free_;
  freed_.notify_one();
}

void Slots::grow(int by) {
  const std::scoped_lock lock{mutex_};
  free_ += by;
  if (by > 0) freed_.notify_all();
}

}  // namespace image::detail
