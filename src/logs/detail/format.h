#pragma once
/// How a log file is read: what differs between the formats. FileReader does all else.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "logs/reader.h"

namespace logs::detail {

/// Reads the records of a file, which stays the caller's, in blocks, from an offset where one starts.
class Cursor {
 public:
  virtual ~Cursor() = default;

  /// The next record, valid until the next call; nullopt when no whole one is there (yet). What can't be
  /// a record is passed over and given as "".
  virtual base::Result<std::optional<std::string_view>> next() = 0;
  /// Behind the last record given.
  [[nodiscard]] virtual std::uint64_t offset() const = 0;
  /// Behind all that was read from the file so far, an unfinished record included.
  [[nodiscard]] virtual std::uint64_t end() const = 0;
  /// Bytes of an unfinished record stand at the end.
  [[nodiscard]] virtual bool has_rest() const = 0;
};

class Format {
 public:
  virtual ~Format() = default;

  [[nodiscard]] virtual std::unique_ptr<Cursor> cursor(int file, std::uint64_t offset) const = 0;
  /// False if the record is malformed; `entry` is then undefined.
  virtual bool read(std::string_view record, Entry& entry) const = 0;
  /// Only the time. nullopt if the record is malformed.
  [[nodiscard]] virtual std::optional<base::Time> time_of(std::string_view record) const = 0;
  /// Where a record starts, behind `from` and before `end`; nullopt if none does.
  [[nodiscard]] virtual base::Result<std::optional<std::uint64_t>> boundary(int file, std::uint64_t from,
                                                                            std::uint64_t end) const = 0;
  /// Where the last `count` entries of the wanted streams start, within the first `size` bytes; if there
  /// are fewer: 0, and `count` is lowered by those found. Reads blocks backwards.
  virtual base::Result<std::uint64_t> offset_of_last(int file, std::uint64_t size, std::uint64_t& count,
                                                     const ReadOptions& wanted) const = 0;
};

std::unique_ptr<Format> make_json_format();
/// Entries get `attributes`, which the files don't hold.
std::unique_ptr<Format> make_local_format(std::map<std::string, std::string> attributes);

/// An offset where a record starts, before which no entry is as young as `since`: by bisection.
base::Result<std::uint64_t> offset_of_time(const Format& format, int file, std::uint64_t size, base::Time since);
/// Of the first well-formed record; nullopt if there is none near the start.
base::Result<std::optional<base::Time>> first_time(const Format& format, int file);

}  // namespace logs::detail
