#pragma once
/// --since and --until.

#include <string>

#include "base/result.h"

namespace cli {

/// RFC 3339, a date, Unix seconds or a duration before now → as the API takes it; "" stays.
/// Errors: `invalid value for "since": failed to parse value as time or duration: "x"`.
base::Result<std::string> time_option(std::string_view name, const std::string& text);

}  // namespace cli
