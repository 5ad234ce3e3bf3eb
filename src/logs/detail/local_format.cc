#include "logs/detail/local_format.h"

#include <algorithm>
#include <array>
#include <vector>

#include "logs/detail/local_record.h"
#include "sys/fd.h"

namespace logs::detail {
namespace {

using base::Result;

constexpr std::size_t kBlock = 64 * 1024;
constexpr std::size_t kLengths = 2 * kLengthSize;
/// The start of every message: its source.
constexpr std::string_view kMark{"\x0a\x06std", 5};
/// How far a record is looked for: two of the longest fit in.
constexpr std::uint64_t kSearch = 2 * (kLongestRecord + kLengths);

/// Whether a whole record starts at `offset`; its message.
Result<std::optional<std::string>> message_at(int file, std::uint64_t offset, std::uint64_t size) {
  using Message = std::optional<std::string>;
  if (size < offset + kLengths) return Message{};
  std::array<char, kLengthSize> head{};
  if (TRY(sys::read_at(file, head, offset)) != head.size()) return Message{};
  const std::uint32_t length = read_length(head.data());
  if (length > kLongestRecord || size - offset - kLengths < length) return Message{};
  std::string rest(length + kLengthSize, '\0');
  if (TRY(sys::read_at(file, rest, offset + kLengthSize)) != rest.size()) return Message{};
  if (read_length(rest.data() + length) != length) return Message{};
  rest.resize(length);
  return Message{std::move(rest)};
}

/// The first record that starts at or behind `from` and before `end`.
Result<std::optional<std::uint64_t>> find_record(int file, std::uint64_t from, std::uint64_t end) {
  const std::uint64_t limit = std::min(end, from + kSearch);
  std::vector<char> block(kBlock);
  // A mark at the start of a file would need a length before it.
  std::uint64_t at = from + kLengthSize;
  while (at < limit) {
    const std::size_t count = TRY(sys::read_at(file, block, at));
    const std::string_view text{block.data(), count};
    for (auto mark = text.find(kMark); mark != std::string_view::npos; mark = text.find(kMark, mark + 1)) {
      const std::uint64_t start = at + mark - kLengthSize;
      if (start >= limit) return std::optional<std::uint64_t>{};
      const auto message = TRY(message_at(file, start, end));
      if (message && read_record(*message)) return std::optional{start};
    }
    if (count < kBlock) break;
    at += count - (kMark.size() - 1);
  }
  return std::optional<std::uint64_t>{};
}

class LocalCursor final : public Cursor {
 public:
  LocalCursor(int file, std::uint64_t offset) : file_{file}, next_{offset} {}

  Result<std::optional<std::string_view>> next() override {
    const auto begun = TRY(need(kLengthSize));
    if (!begun) return std::optional<std::string_view>{};
    const std::uint32_t length = read_length(begun->data());
    if (length > kLongestRecord) return resynchronize();
    const auto whole = TRY(need(length + kLengths));
    if (!whole) {
      // Not there yet; or its length is damaged, which shows by another record behind it.
      const bool damaged = TRY(find_record(file_, offset() + 1, next_)).has_value();
      return damaged ? resynchronize() : std::optional<std::string_view>{};
    }
    if (read_length(whole->data() + kLengthSize + length) != length) return resynchronize();
    start_ += length + kLengths;
    return std::optional{whole->substr(kLengthSize, length)};
  }
  [[nodiscard]] std::uint64_t offset() const override { return next_ - (buffer_.size() - start_); }
  [[nodiscard]] std::uint64_t end() const override { return next_; }
  [[nodiscard]] bool has_rest() const override { return start_ < buffer_.size(); }

 private:
  /// The next `count` bytes, without taking them.
  Result<std::optional<std::string_view>> need(std::size_t count) {
    while (buffer_.size() - start_ < count) {
      buffer_.erase(0, start_);
      start_ = 0;
      const std::size_t kept = buffer_.size();
      const std::size_t wanted = std::max(kBlock, count - kept);
      buffer_.resize(kept + wanted);
      auto got = sys::read_at(file_, {buffer_.data() + kept, wanted}, next_);
      buffer_.resize(kept + (got ? *got : 0));
      if (TRY(std::move(got)) == 0) return std::optional<std::string_view>{};
      next_ += buffer_.size() - kept;
    }
    return std::optional{std::string_view{buffer_}.substr(start_, count)};
  }

  Result<std::optional<std::string_view>> resynchronize() {
    const std::uint64_t here = offset();
    const auto size = static_cast<std::uint64_t>(TRY(sys::stat_fd(file_)).st_size);
    const auto found = TRY(find_record(file_, here + 1, size));
    buffer_.clear();
    start_ = 0;
    next_ = found.value_or(std::min(size, here + kSearch));
    return std::optional{std::string_view{}};
  }

  int file_;
  std::uint64_t next_;  ///< file offset behind the buffer
  std::string buffer_;
  std::size_t start_ = 0;  ///< in buffer_, of the next record
};

class LocalFormat final : public Format {
 public:
  explicit LocalFormat(std::map<std::string, std::string> attributes) : attributes_{std::move(attributes)} {}

  [[nodiscard]] std::unique_ptr<Cursor> cursor(int file, std::uint64_t offset) const override {
    return std::make_unique<LocalCursor>(file, offset);
  }

  bool read(std::string_view record, Entry& entry) const override {
    const auto read = read_record(record);
    if (!read) return false;
    entry.stream = read->stream;
    entry.time = read->time;
    entry.line = read->line;
    if (!read->partial || read->partial->last) entry.line += '\n';
    entry.attributes = attributes_;
    return true;
  }

  [[nodiscard]] std::optional<base::Time> time_of(std::string_view record) const override {
    const auto read = read_record(record);
    return read ? std::optional{read->time} : std::nullopt;
  }

  [[nodiscard]] Result<std::optional<std::uint64_t>> boundary(int file, std::uint64_t from,
                                                              std::uint64_t end) const override {
    return find_record(file, from, end);
  }

  Result<std::uint64_t> offset_of_last(int file, std::uint64_t size, std::uint64_t& count,
                                       const ReadOptions& wanted) const override {
    std::uint64_t at = TRY(end_of_whole(file, size));
    std::vector<char> block(kBlock);
    std::uint64_t begin = at;  // what of the file `block` holds: from here …
    std::uint64_t until = at;  // … to here
    /// The `length` bytes that end at `to`.
    const auto bytes_before = [&](std::uint64_t to, std::size_t length) -> Result<std::string_view> {
      if (to > until || to - length < begin) {
        if (block.size() < length) block.resize(length);
        begin = to > block.size() ? to - block.size() : 0;
        const std::size_t got = TRY(sys::read_at(file, {block.data(), static_cast<std::size_t>(to - begin)}, begin));
        until = begin + got;
        if (until < to) return base::unavailable("the log is shorter than it was");
      }
      return std::string_view{block.data() + (to - length - begin), length};
    };
    while (at >= kLengths && count > 0) {
      const std::uint32_t length = read_length(TRY(bytes_before(at, kLengthSize)).data());
      if (length > kLongestRecord || length + kLengths > at) break;
      const std::string_view record = TRY(bytes_before(at, length + kLengths));
      if (read_length(record.data()) != length) break;  // damaged: what is before it counts as not there
      const auto read = read_record(record.substr(kLengthSize, length));
      at -= length + kLengths;
      if (read && (read->stream == Stream::Stdout ? wanted.out : wanted.err)) --count;
    }
    return count == 0 ? at : 0;
  }

 private:
  const std::map<std::string, std::string> attributes_;
};

}  // namespace

Result<std::uint64_t> end_of_whole(int file, std::uint64_t size) {
  if (size >= kLengths) {
    std::array<char, kLengthSize> tail{};
    TRY(sys::read_at(file, tail, size - kLengthSize));
    const std::uint32_t length = read_length(tail.data());
    if (length <= kLongestRecord && length + kLengths <= size) {
      if (const auto last = TRY(message_at(file, size - length - kLengths, size)); last && read_record(*last)) return size;
    }
  }
  LocalCursor cursor{file, 0};
  std::uint64_t whole = 0;
  while (cursor.offset() < size) {
    if (!TRY(cursor.next()) || cursor.offset() > size) break;
    whole = cursor.offset();
  }
  return whole;
}

std::unique_ptr<Format> make_local_format(std::map<std::string, std::string> attributes) {
  return std::make_unique<LocalFormat>(std::move(attributes));
}

}  // namespace logs::detail
