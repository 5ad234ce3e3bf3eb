#pragma once
/// The input side of a decompressor: bytes of a source that were read and not yet used.

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/byte_stream.h"

namespace codec::detail {

class SourceBuffer {
 public:
  explicit SourceBuffer(base::ByteSource& source) : source_{source}, buffer_(kBytes) {}

  /// What is there; empty only before the first `fill`, between fills, and at the end.
  [[nodiscard]] std::string_view rest() const { return {buffer_.data() + begin_, end_ - begin_}; }
  void consume(std::size_t count) { begin_ += count; }
  [[nodiscard]] std::uint64_t total() const { return total_; }

  /// Reads until at least `wanted` bytes are there or the source ends; false when nothing is there.
  base::Result<bool> fill(std::size_t wanted = 1) {
    if (end_ - begin_ >= wanted) return true;
    if (begin_ > 0) {
      std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_),
                buffer_.begin() + static_cast<std::ptrdiff_t>(end_), buffer_.begin());
      end_ -= begin_;
      begin_ = 0;
    }
    while (end_ < wanted) {
      const std::size_t count = TRY(source_.read(std::span{buffer_}.subspan(end_)));
      if (count == 0) break;
      end_ += count;
      total_ += count;
    }
    return end_ > 0;
  }

 private:
  static constexpr std::size_t kBytes = std::size_t{128} << 10U;

  base::ByteSource& source_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t total_ = 0;
};

}  // namespace codec::detail
