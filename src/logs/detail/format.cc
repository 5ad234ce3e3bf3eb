#include "logs/detail/format.h"

#include "logs/detail/line_cursor.h"
#include "logs/detail/line_reader.h"

namespace logs::detail {
namespace {

using base::Result;

/// The bisection ends there; the rest is read record by record.
constexpr std::uint64_t kNear = 64 * 1024;
constexpr int kMalformedInARow = 64;

class JsonFormat final : public Format {
 public:
  [[nodiscard]] std::unique_ptr<Cursor> cursor(int file, std::uint64_t offset) const override {
    return std::make_unique<LineCursor>(file, offset);
  }
  bool read(std::string_view record, Entry& entry) const override { return read_line(record, entry); }
  [[nodiscard]] std::optional<base::Time> time_of(std::string_view record) const override {
    return time_of_line(record);
  }
  [[nodiscard]] Result<std::optional<std::uint64_t>> boundary(int file, std::uint64_t from,
                                                              std::uint64_t end) const override {
    LineCursor cursor{file, from};
    const auto cut_off = TRY(cursor.next());
    if (!cut_off || cursor.offset() >= end) return std::optional<std::uint64_t>{};
    return std::optional{cursor.offset()};
  }
  Result<std::uint64_t> offset_of_last(int file, std::uint64_t size, std::uint64_t& count,
                                       const ReadOptions& wanted) const override {
    return offset_of_last_lines(file, size, count, wanted);
  }
};

/// Of the first well-formed one of some records.
Result<std::optional<base::Time>> time_near(const Format& format, int file, std::uint64_t offset) {
  const auto cursor = format.cursor(file, offset);
  for (int i = 0; i < kMalformedInARow; ++i) {
    const auto record = TRY(cursor->next());
    if (!record) break;
    if (const auto time = format.time_of(*record)) return time;
  }
  return std::optional<base::Time>{};
}

}  // namespace

std::unique_ptr<Format> make_json_format() { return std::make_unique<JsonFormat>(); }

Result<std::optional<base::Time>> first_time(const Format& format, int file) { return time_near(format, file, 0); }

Result<std::uint64_t> offset_of_time(const Format& format, int file, std::uint64_t size, base::Time since) {
  std::uint64_t low = 0;  // a record starts here, older than `since` or the first
  std::uint64_t high = size;
  while (high - low > kNear) {
    const std::uint64_t middle = low + (high - low) / 2;
    const auto start = TRY(format.boundary(file, middle, high));
    const auto time = start ? TRY(time_near(format, file, *start)) : std::nullopt;
    if (time && *time < since) {
      low = *start;
    } else {
      high = middle;
    }
  }
  return low;
}

}  // namespace logs::detail
