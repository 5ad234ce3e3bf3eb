#include "shim/detail/spill_queue.h"

#include <algorithm>

#include "sys/crash_point.h"
#include "sys/file.h"

namespace shim::detail {
namespace {

using base::Result;

constexpr std::size_t kRefill = 64 * 1024;
/// Blocks are given back in pieces of this size.
constexpr std::uint64_t kPunch = std::uint64_t{4} << 20U;

}  // namespace

Result<> SpillQueue::push(std::string_view bytes) {
  if (spilled() == 0 && front().size() + bytes.size() <= kMemory) {
    if (taken_ > 0) memory_.erase(0, std::exchange(taken_, 0));
    memory_.append(bytes);
    return {};
  }
  TRY(sys::inject("shim.spill"));
  if (!file_) {
    file_ = TRY(sys::open_at(sys::kCwd, directory_, O_RDWR | O_TMPFILE, 0600).context("spill a slow client's output"));
  }
  // The file's offset is at its end: reading is by pread.
  TRY(sys::write_all(file_.get(), bytes).context("spill a slow client's output"));
  written_ += bytes.size();
  if (empty()) return refill();
  return {};
}

Result<> SpillQueue::pop(std::size_t count) {
  taken_ += count;
  if (taken_ < memory_.size()) return {};
  taken_ = 0;
  memory_.clear();
  if (spilled() > 0) return refill();
  // Idle clients cost nothing.
  memory_.shrink_to_fit();
  file_.reset();
  read_ = written_ = punched_ = 0;
  return {};
}

Result<> SpillQueue::refill() {
  memory_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kRefill, spilled())));
  const std::size_t count = TRY(sys::read_at(file_.get(), memory_, read_).context("read a slow client's output"));
  if (count != memory_.size()) return base::internal("a slow client's output was cut off on the disk");
  read_ += count;
  if (read_ - punched_ >= kPunch) {
    // Where the file system can't, the blocks are held until the client has caught up.
    if (sys::punch_hole(file_.get(), punched_, read_ - punched_)) punched_ = read_;
  }
  return {};
}

}  // namespace shim::detail
