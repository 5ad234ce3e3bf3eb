#include "base/byte_pipe.h"

#include <algorithm>

namespace base {

Result<> BytePipe::write(std::string_view bytes) {
  while (!bytes.empty()) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return held_.size() < kRoom || abandoned_; });
    if (abandoned_) return unavailable("nobody reads any more");
    const std::size_t count = std::min(bytes.size(), kRoom - held_.size());
    held_.append(bytes.substr(0, count));
    bytes.remove_prefix(count);
    changed_.notify_all();
  }
  return {};
}

void BytePipe::finish(const Result<>& done) {
  const std::lock_guard lock{mutex_};
  ended_ = true;
  if (!done) failure_.emplace(done.error());
  changed_.notify_all();
}

Result<std::size_t> BytePipe::read(std::span<char> buffer) {
  std::unique_lock lock{mutex_};
  changed_.wait(lock, [&] { return !held_.empty() || ended_; });
  if (held_.empty()) {
    if (failure_) return Error{*failure_};
    return std::size_t{0};
  }
  const std::size_t count = std::min(buffer.size(), held_.size());
  std::copy_n(held_.begin(), count, buffer.begin());
  held_.erase(0, count);
  changed_.notify_all();
  return count;
}

void BytePipe::abandon() {
  const std::lock_guard lock{mutex_};
  abandoned_ = true;
  changed_.notify_all();
}

}  // namespace base
