#pragma once
/// Programs of this installation that other ones start.

#include <string>
#include <string_view>

#include "base/result.h"

namespace sys {

/// The path of a program: beside the running one, else in the installation's libexec directory. Errors: NotFound,
/// with both places.
base::Result<std::string> find_companion(std::string_view program);

}  // namespace sys
