#pragma once
/// Rotated logs as gzip files. Source: RFC 1952, zlib.h.

#include <string>

#include "base/result.h"
#include "sys/fd.h"

namespace logs::detail {

/// The plain contents of a gzip file, as an unlinked file in `directory`, so that it can be read from
/// any place. Errors: InvalidArgument for a file that is damaged, those of the disk.
base::Result<sys::UniqueFd> expand(int gzip_file, const std::string& directory);

}  // namespace logs::detail
