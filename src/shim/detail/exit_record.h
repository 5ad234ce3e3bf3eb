#pragma once
/// exit.json and exec-<id>.json: how processes ended, for daemons to come.

#include <optional>
#include <string>

#include "base/result.h"
#include "shim/protocol.h"
#include "sys/process.h"

namespace shim::detail {

[[nodiscard]] Exit make_exit(const sys::ExitStatus& status);
/// For a process that never ran.
[[nodiscard]] Exit make_failure(const base::Error& error);

/// As a whole or not at all. The run directory is on a tmpfs, so this survives all but a reboot,
/// which no container survives either.
base::Result<> write_exit(const std::string& path, const Exit& exit);
/// nullopt: none there.
base::Result<std::optional<Exit>> read_exit_file(const std::string& path);

}  // namespace shim::detail
