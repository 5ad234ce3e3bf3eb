#pragma once
/// Streams that cross modules, so that no module learns where bytes come from or go to.
/// Blocking; one thread at a time; the destructor releases what is behind it.

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace base {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// Fills up to `buffer.size()` bytes and says how many; 0 is the end. Errors: those of what is
  /// behind it; after an error the stream is at its end.
  virtual Result<std::size_t> read(std::span<char> buffer) = 0;
};

class ByteSink {
 public:
  virtual ~ByteSink() = default;
  /// Takes all of `bytes` or fails.
  virtual Result<> write(std::string_view bytes) = 0;
};

/// Reads from a string that outlives it.
class StringSource final : public ByteSource {
 public:
  explicit StringSource(std::string_view text) : rest_{text} {}
  Result<std::size_t> read(std::span<char> buffer) override;

 private:
  std::string_view rest_;
};

class StringSink final : public ByteSink {
 public:
  Result<> write(std::string_view bytes) override;
  std::string text;
};

/// All bytes up to the end. Errors: InvalidArgument past `limit` bytes.
Result<std::string> read_all(ByteSource& source, std::size_t limit);
/// Says how many bytes went.
Result<std::size_t> copy(ByteSource& source, ByteSink& sink);

}  // namespace base
