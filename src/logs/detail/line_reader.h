#pragma once
/// Reads one line of a json-file log. Lines as this program and docker write them take a short way;
/// any other JSON object with the same members is read too.

#include <optional>
#include <string_view>

#include "base/time.h"
#include "logs/reader.h"

namespace logs::detail {

/// `line` without its newline. False if it is malformed; `entry` is then undefined.
bool read_line(std::string_view line, Entry& entry);

/// Only the time, for the bisection. nullopt if the line is malformed.
std::optional<base::Time> time_of_line(std::string_view line);
/// Only the stream, for counting.
std::optional<Stream> stream_of_line(std::string_view line);

}  // namespace logs::detail
