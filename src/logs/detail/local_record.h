#pragma once
/// One entry of docker's driver "local": a protobuf message between two copies of its length, 32 bits,
/// big-endian. So a file can be walked in both directions.
///
///   LogEntry { string source = 1; int64 time_nano = 2; bytes line = 3; bool partial = 4;
///              PartialLogEntryMetadata partial_log_metadata = 5; }
///   PartialLogEntryMetadata { bool last = 1; string id = 2; int32 ordinal = 3; }
///
/// `line` is without its newline, which only a partial entry that is not the last of its line never had.
/// The pieces of a line over 16 KiB have the same id and are numbered from 1.
///
/// Source: moby, api/types/plugins/logdriver/entry.proto; protobuf's encoding.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "logs/driver.h"

namespace logs::detail {

inline constexpr std::size_t kLengthSize = 4;
/// No entry is longer: a line holds 16 KiB, those of other writers may hold more.
inline constexpr std::size_t kLongestRecord = std::size_t{1} << 20U;

struct Partial {
  std::string id;
  std::uint32_t ordinal = 0;
  bool last = false;
};

struct LocalRecord {
  Stream stream = Stream::Stdout;
  base::Time time{};
  std::string_view line;
  std::optional<Partial> partial;
};

/// Both lengths included.
void append_record(std::string& out, const LocalRecord& record);
/// Of a message, without the lengths; `line` points into it. nullopt if it is malformed.
std::optional<LocalRecord> read_record(std::string_view message);

[[nodiscard]] std::uint32_t read_length(const char* bytes);
void append_length(std::string& out, std::uint32_t length);

}  // namespace logs::detail
