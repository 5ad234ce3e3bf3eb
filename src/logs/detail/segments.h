#pragma once
/// The files of a log as a reader sees them, each opened once: from then on rotation can't take it
/// away.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "base/result.h"
#include "sys/fd.h"

namespace logs::detail {

/// Which file it is, whatever its name.
struct FileId {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const FileId&) const = default;
};

struct Segment {
  sys::UniqueFd file;
  FileId id;
  bool compressed = false;  ///< `file` is gzip; expand() makes it plain when it is needed
};

/// Oldest first, the one being written last. With `after`: only those younger than that one (all, if
/// it is not there any more). Opened from the youngest on, so a rotation meanwhile hides none.
base::Result<std::vector<Segment>> open_segments(const std::string& path, std::optional<FileId> after);

/// Which file is being written now; nullopt between two files.
base::Result<std::optional<FileId>> current_file(const std::string& path);

[[nodiscard]] std::string directory_of(const std::string& path);

}  // namespace logs::detail
