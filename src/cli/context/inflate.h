#pragma once
/// Deflated bytes, unpacked, for the few kilobytes of a zip: this program is linked without a library for it.
/// Source: RFC 1951.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace cli {

/// Errors: InvalidArgument: not deflate, ends early, more than `limit` bytes come out.
base::Result<std::string> inflate(std::string_view packed, std::size_t limit);

/// Of ISO 3309, as zip and gzip have it.
[[nodiscard]] std::uint32_t crc32(std::string_view bytes);

}  // namespace cli
