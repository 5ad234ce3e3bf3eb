#pragma once
/// Where `save` and `export` write an archive: a file of that name, or the standard output.

#include <string>

#include "base/byte_stream.h"
#include "base/result.h"
#include "cli/cli.h"

namespace cli {

/// Before the daemon is asked for what may be much. Errors: a terminal, a missing folder, a directory; `intent` says
/// what failed ("failed to save image").
base::Result<> check_archive_output(Cli& cli, const std::string& path, const std::string& intent);

/// A file gets its name when it is whole, so that no half archive is left; a device or a pipe is written to as it
/// is; "" is the standard output.
base::Result<> write_archive(Cli& cli, base::ByteSource& source, const std::string& path);

}  // namespace cli
