#pragma once
/// Lines of a file, forwards from an offset, and from its end.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "logs/detail/format.h"
#include "logs/reader.h"

namespace logs::detail {

/// A line is given without its newline.
class LineCursor final : public Cursor {
 public:
  LineCursor(int file, std::uint64_t offset) : file_{file}, next_{offset} {}

  base::Result<std::optional<std::string_view>> next() override;
  [[nodiscard]] std::uint64_t offset() const override { return next_ - (buffer_.size() - start_); }
  [[nodiscard]] std::uint64_t end() const override { return next_; }
  [[nodiscard]] bool has_rest() const override { return start_ < buffer_.size() || discarding_; }

 private:
  int file_;
  std::uint64_t next_;      ///< file offset behind the buffer
  std::string buffer_;
  std::size_t start_ = 0;   ///< in buffer_, of the next line
  std::size_t searched_ = 0;  ///< no newline before it
  bool discarding_ = false;
};

/// Format::offset_of_last for json-file.
base::Result<std::uint64_t> offset_of_last_lines(int file, std::uint64_t size, std::uint64_t& count,
                                                 const ReadOptions& wanted);

}  // namespace logs::detail
