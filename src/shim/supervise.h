#pragma once
/// The whole of caisson-shim behind its command line.

#include <string>

#include "base/result.h"

namespace shim {

/// Creates the container of the run directory `dir` and looks after it until it has exited, all its
/// output is where it belongs and nobody has to be told any more. `connection` is the launching
/// daemon's end (protocol.h, kInheritedConnection); -1: none. Changes the whole process: signals,
/// subreaper, working directory. Single-threaded. Errors: only what made it impossible to begin.
base::Result<> supervise(const std::string& dir, int connection);

}  // namespace shim
