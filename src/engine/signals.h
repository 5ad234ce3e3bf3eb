#pragma once
/// Signals by name, as docker's `--signal` takes them. Source: signal(7). Pure.

#include <string_view>

#include "base/result.h"

namespace engine {

/// "SIGTERM", "term", "15", "RTMIN+3". Errors: InvalidArgument "invalid signal: x".
base::Result<int> parse_signal(std::string_view text);

}  // namespace engine
