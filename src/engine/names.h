#pragma once
/// Names of containers: which are allowed, and random ones for those that give none.

#include <string>
#include <string_view>

#include "base/result.h"

namespace engine {

/// Strips one leading slash. Errors: InvalidArgument "Invalid container name (x), only
/// [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed".
base::Result<std::string> check_name(std::string_view name);
/// At least two characters of docker's name pattern, as volumes use it too.
[[nodiscard]] bool is_valid_name(std::string_view name);

/// "adjective_surname"; on later attempts a digit follows, so that a name is found even on a host
/// with thousands of containers.
[[nodiscard]] std::string random_name(unsigned attempt);

}  // namespace engine
