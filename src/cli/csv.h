#pragma once
/// One record of comma-separated values (RFC 4180), as Go's encoding/csv reads it.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace cli {

/// Errors: InvalidArgument: "EOF" for an empty text, Go's parse errors else.
base::Result<std::vector<std::string>> parse_csv(std::string_view text);

}  // namespace cli
