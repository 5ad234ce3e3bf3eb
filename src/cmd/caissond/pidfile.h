#pragma once
/// The file that says which process the daemon is.

#include <string>

#include "base/result.h"

namespace caissond {

/// Errors: Conflict when a daemon that lives wrote it.
base::Result<> write_pidfile(const std::string& path);

}  // namespace caissond
