#pragma once

#include <cstdint>
#include <string>

#include <sys/stat.h>

#include "base/result.h"
#include "snapshot/snapshotter.h"

namespace snapshot {

/// st_blocks counts units of 512 bytes, whatever the file system's blocks are: stat(3type).
[[nodiscard]] inline std::uint64_t allocated_bytes(const struct ::stat& status) {
  return static_cast<std::uint64_t>(status.st_blocks) * 512;
}

/// What a tree takes on the disk; hard links count once, mounts inside are not entered.
base::Result<Usage> usage_of_tree(const std::string& path);

}  // namespace snapshot
