#include "codec/read_ahead.h"

#include <algorithm>

namespace codec {

using base::Result;

ReadAhead::ReadAhead(base::ByteSource& source) : source_{source}, thread_{[this] { fill(); }} {}

ReadAhead::~ReadAhead() {
  {
    const std::scoped_lock lock{mutex_};
    cancelled_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void ReadAhead::fill() {
  while (true) {
    Chunk* chunk = nullptr;
    {
      std::unique_lock lock{mutex_};
      changed_.wait(lock, [&] { return cancelled_ || filled_ - used_ < kChunks; });
      if (cancelled_) return;
      chunk = &chunks_[filled_ % kChunks];
    }
    chunk->bytes.resize(kChunkBytes);
    chunk->size = 0;
    std::optional<base::Error> failure;
    bool ended = false;
    while (chunk->size < kChunkBytes && !ended && !failure) {
      auto count = source_.read(std::span{chunk->bytes}.subspan(chunk->size));
      if (!count) {
        failure = std::move(count).error();
      } else if (*count == 0) {
        ended = true;
      } else {
        chunk->size += *count;
      }
    }
    {
      const std::scoped_lock lock{mutex_};
      if (chunk->size > 0) ++filled_;
      ended_ = ended || failure;
      failure_ = std::move(failure);
    }
    changed_.notify_all();
    if (ended_) return;
  }
}

Result<std::string_view> ReadAhead::next() {
  if (!rest_.empty()) return std::exchange(rest_, {});
  std::unique_lock lock{mutex_};
  if (std::exchange(holds_chunk_, false)) {
    ++used_;
    changed_.notify_all();
  }
  changed_.wait(lock, [&] { return ended_ || filled_ > used_; });
  if (filled_ == used_) {
    if (failure_) return base::Error{*std::exchange(failure_, std::nullopt)};
    return std::string_view{};
  }
  holds_chunk_ = true;
  const Chunk& chunk = chunks_[used_ % kChunks];
  return std::string_view{chunk.bytes.data(), chunk.size};
}

Result<std::size_t> ReadAhead::read(std::span<char> buffer) {
  if (rest_.empty()) rest_ = TRY(next());
  const std::size_t count = std::min(rest_.size(), buffer.size());
  std::copy_n(rest_.begin(), count, buffer.begin());
  rest_.remove_prefix(count);
  return count;
}

}  // namespace codec
