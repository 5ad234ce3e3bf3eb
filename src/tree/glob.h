#pragma once
/// Shell patterns in paths: `*`, `?`, `[a-z]`, `[!a-z]`, and `\` before a letter that is meant as it is. No
/// pattern reaches over a '/', and a name that begins with a dot is matched only where the pattern has the dot.
/// Source: POSIX.1-2017, XCU 2.13, without character classes.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tree {

[[nodiscard]] bool has_pattern(std::string_view path);

/// One component by one component, in time of at most their lengths' product.
[[nodiscard]] bool matches(std::string_view pattern, std::string_view name);

/// All paths below the directory `root` that match, sorted; each begins with "/" and counts from the root, as do the
/// links on the way. A last "/" or "/." asks for directories and stays. What can't be read is passed over.
/// Errors: InvalidArgument for more than `limit` of them.
base::Result<std::vector<std::string>> expand(int root, std::string_view pattern, std::size_t limit);

}  // namespace tree
