#pragma once
/// Reads a source in a thread of its own, a few chunks ahead of the reader: so that decompressing
/// and hashing run while files are written. The memory is `kChunks × kChunkBytes`.
///
/// The source belongs to that thread until `ReadAhead` is destroyed; the destructor waits for the
/// read that is under way, so a source that can block for long has its own way to be stopped.

#include <array>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/byte_stream.h"
#include "base/result.h"

namespace codec {

class ReadAhead final : public base::ByteSource {
 public:
  static constexpr std::size_t kChunks = 4;
  static constexpr std::size_t kChunkBytes = std::size_t{512} << 10U;

  explicit ReadAhead(base::ByteSource& source);
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;
  ~ReadAhead() override;

  base::Result<std::size_t> read(std::span<char> buffer) override;
  /// The next bytes without a copy, "" at the end; valid until the next call. Don't mix with `read`
  /// halfway through a chunk.
  base::Result<std::string_view> next();

 private:
  struct Chunk {
    std::vector<char> bytes;
    std::size_t size = 0;
  };

  void fill();

  base::ByteSource& source_;
  std::string_view rest_;  // of the chunk at read_, which is the reader's while it is not empty
  bool holds_chunk_ = false;

  std::mutex mutex_;  // guards what follows; a chunk's bytes belong to the side whose turn it is
  std::condition_variable changed_;
  std::array<Chunk, kChunks> chunks_;
  std::uint64_t filled_ = 0;  // chunks given to the reader, ever
  std::uint64_t used_ = 0;    // chunks given back, ever
  bool ended_ = false;
  bool cancelled_ = false;
  std::optional<base::Error> failure_;

  std::thread thread_;
};

}  // namespace codec
