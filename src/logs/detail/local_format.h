#pragma once
/// Reads files of the driver "local": forwards, backwards, and from the middle.
///
/// From the middle, a record is found by what all of them begin with (a byte that is a newline, which no line
/// holds, and the source) and by both of its lengths.

#include <cstdint>

#include "base/result.h"
#include "logs/detail/format.h"

namespace logs::detail {

/// Where the last whole record within the first `size` bytes ends; `size` itself unless a crash has cut it
/// off. Looks at the end first, and walks from the start only if that is cut off.
base::Result<std::uint64_t> end_of_whole(int file, std::uint64_t size);

}  // namespace logs::detail
