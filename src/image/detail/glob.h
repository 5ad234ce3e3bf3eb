#pragma once
/// Go's path.Match, with which docker compares references: '*' and '?' stop at '/', sets [a-z], [^a],
/// and '\' escapes.

#include <string_view>

namespace image::detail {

/// False for a malformed pattern.
[[nodiscard]] bool glob_matches(std::string_view pattern, std::string_view text);

}  // namespace image::detail
