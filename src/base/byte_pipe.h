#pragma once
/// A bounded pipe in memory between two threads: what one pushes, the other pulls.

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>

#include "base/byte_stream.h"

namespace base {

class BytePipe final : public ByteSink, public ByteSource {
 public:
  /// For the writing thread: blocks while the reader is behind. Errors: Unavailable once it has gone.
  Result<> write(std::string_view bytes) override;
  /// The end; with an error, the reader gets that after what was written.
  void finish(const Result<>& done);

  /// For the reading thread.
  Result<std::size_t> read(std::span<char> buffer) override;
  /// Nothing more is wanted.
  void abandon();

 private:
  static constexpr std::size_t kRoom = std::size_t{256} << 10U;

  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  std::string held_;
  bool ended_ = false, abandoned_ = false;
  std::optional<Error> failure_;
};

}  // namespace base
