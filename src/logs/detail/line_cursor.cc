#include "logs/detail/line_cursor.h"

#include <algorithm>
#include <vector>

#include "logs/detail/line_reader.h"
#include "sys/fd.h"

namespace logs::detail {
namespace {

using base::Result;

constexpr std::size_t kBlock = 64 * 1024;
/// A line holds 16 KiB of text, each byte escaped to six at most, and attributes.
constexpr std::size_t kLongest = std::size_t{4} << 20U;

}  // namespace

Result<std::optional<std::string_view>> LineCursor::next() {
  while (true) {
    const auto newline = buffer_.find('\n', searched_);
    if (newline != std::string::npos) {
      std::string_view line{buffer_.data() + start_, newline - start_};
      if (std::exchange(discarding_, false)) line = {};
      start_ = searched_ = newline + 1;
      return std::optional{line};
    }
    buffer_.erase(0, start_);
    start_ = 0;
    if (buffer_.size() > kLongest) {
      discarding_ = true;
      buffer_.clear();
    }
    const std::size_t kept = searched_ = buffer_.size();
    buffer_.resize(kept + kBlock);
    auto count = sys::read_at(file_, {buffer_.data() + kept, kBlock}, next_);
    buffer_.resize(kept + (count ? *count : 0));
    if (TRY(std::move(count)) == 0) return std::optional<std::string_view>{};
    next_ += buffer_.size() - kept;
  }
}

Result<std::uint64_t> offset_of_last_lines(int file, std::uint64_t size, std::uint64_t& count,
                                           const ReadOptions& wanted) {
  const bool all = wanted.out && wanted.err;
  std::vector<char> block(kBlock);
  std::string later;  // the start of the line that the block behind begins in
  std::uint64_t end = size;
  bool in_line = false;  // false behind the last newline, where an unfinished line may stand
  const auto wants = [&](std::string_view line) {
    const auto stream = stream_of_line(line);
    return stream && (*stream == Stream::Stdout ? wanted.out : wanted.err);
  };
  while (end > 0) {
    const std::uint64_t begin = end > kBlock ? end - kBlock : 0;
    const std::size_t length = TRY(sys::read_at(file, {block.data(), static_cast<std::size_t>(end - begin)}, begin));
    std::string_view rest{block.data(), length};
    while (true) {
      const auto newline = rest.rfind('\n');
      if (newline == std::string_view::npos) {
        if (in_line && !all) later.insert(0, rest);
        break;
      }
      const std::uint64_t line_start = begin + newline + 1;
      if (!in_line) {
        if (count == 0) return line_start;
      } else if (all || wants(std::string{rest.substr(newline + 1)} + later)) {
        if (--count == 0) return line_start;
      }
      later.clear();
      in_line = true;
      rest = rest.substr(0, newline);
    }
    end = begin;
  }
  if (in_line && count > 0 && (all || wants(later))) --count;
  return 0;
}

}  // namespace logs::detail
