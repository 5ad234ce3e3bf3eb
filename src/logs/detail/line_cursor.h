#pragma once
/// Lines of a file, forwards from an offset, and the places to start from.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "logs/reader.h"

namespace logs::detail {

/// Reads the lines of `file`, which stays the caller's, in blocks.
class LineCursor {
 public:
  LineCursor() = default;
  LineCursor(int file, std::uint64_t offset) : file_{file}, next_{offset} {}

  /// The next line without its newline, valid until the next call; nullopt when no whole one is
  /// there (yet). A line too long to be one of a log's is passed over and given as "".
  base::Result<std::optional<std::string_view>> next();
  /// Behind the last line given.
  [[nodiscard]] std::uint64_t offset() const { return next_ - (buffer_.size() - start_); }
  /// Behind all that was read from the file so far, an unfinished line included.
  [[nodiscard]] std::uint64_t end() const { return next_; }
  /// Bytes of an unfinished line stand at the end.
  [[nodiscard]] bool has_rest() const { return start_ < buffer_.size() || discarding_; }

 private:
  int file_ = -1;
  std::uint64_t next_ = 0;  ///< file offset behind the buffer
  std::string buffer_;
  std::size_t start_ = 0;   ///< in buffer_, of the next line
  std::size_t searched_ = 0;  ///< no newline before it
  bool discarding_ = false;
};

/// Where the last `count` entries of the wanted streams start, within the first `size` bytes; fewer
/// there are: 0, and `count` is lowered by those found. Reads blocks backwards.
base::Result<std::uint64_t> offset_of_last(int file, std::uint64_t size, std::uint64_t& count,
                                           const ReadOptions& wanted);

/// An offset where a line starts, before which no entry is as young as `since`: by bisection.
base::Result<std::uint64_t> offset_of_time(int file, std::uint64_t size, base::Time since);

/// Of the first well-formed line; nullopt if there is none near the start.
base::Result<std::optional<base::Time>> first_time(int file);

}  // namespace logs::detail
