#pragma once
/// Bytes that were received and not yet understood.

#include <span>
#include <string>
#include <string_view>

namespace http::detail {

class InputBuffer {
 public:
  [[nodiscard]] std::string_view view() const {
    return std::string_view{storage_}.substr(begin_, end_ - begin_);
  }
  [[nodiscard]] bool empty() const { return begin_ == end_; }

  void consume(std::size_t count) {
    begin_ += count;
    if (empty()) begin_ = end_ = 0;
  }

  /// Room for at least `least` more bytes; what was written there counts after `filled`.
  std::span<char> room(std::size_t least) {
    if (storage_.size() - end_ < least) {
      storage_.erase(0, begin_);
      end_ -= begin_;
      begin_ = 0;
      if (storage_.size() < end_ + least) storage_.resize(end_ + least);
    }
    return std::span<char>{storage_}.subspan(end_);
  }
  void filled(std::size_t count) { end_ += count; }

  /// Gives the memory back while nothing is in it.
  void release_memory() {
    if (!empty()) return;
    begin_ = end_ = 0;
    std::string{}.swap(storage_);
  }
  [[nodiscard]] std::string take() {
    std::string out{view()};
    consume(out.size());
    return out;
  }

 private:
  std::string storage_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace http::detail
