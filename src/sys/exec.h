#pragma once
/// A program that makes room for another one in its own process.

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "sys/fd.h"

namespace sys {

/// execve(2): `path` runs under this PID from here on, with `arguments` (the first is its name), `environment` ("NAME=value") and the
/// descriptors of `kept` as 3, 4, …; what else was open is closed, threads end. When `path` can't be executed, the program that
/// runs now is started anew, so that somebody takes over. Returns only if that fails, too; then descriptors from 3 on are lost.
base::Error replace_program(const std::string& path, const std::vector<std::string>& arguments,
                            const std::vector<std::string>& environment, std::vector<UniqueFd> kept);

/// The environment of this process, "NAME=value".
std::vector<std::string> whole_environment();

}  // namespace sys
