#pragma once
/// The files of one log: <path>, <path>.1 (the youngest rotated one), <path>.2, …, each rotated one
/// possibly compressed with ".gz" behind its name.

#include <string>

#include "base/result.h"

namespace logs::detail {

[[nodiscard]] std::string rotated_name(const std::string& path, unsigned index);

/// Moves every file one number up so that `path` is free; the one that would be number `max_files`
/// goes. With one file, `path` itself goes. A crash in between leaves a gap in the numbers at worst,
/// which readers and the next rotation pass over.
base::Result<> rotate(const std::string& path, unsigned max_files);

}  // namespace logs::detail
