#pragma once
/// Writing to a client's connection from the daemon itself: only where no shim is there to do it.

#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/containers/core.h"
#include "shim/protocol.h"
#include "sys/fd.h"

namespace engine {

/// docker's frame header before `text`: the stream's number and the length, big-endian.
[[nodiscard]] std::string framed(unsigned stream, std::string_view text);

/// Writes the log of a container that does not run to the connection and closes it, on a worker.
void replay(Core& core, std::shared_ptr<const Record> record, sys::UniqueFd connection,
            const shim::Attachment& attachment);

/// The keys as given, docker's default for "". Errors: InvalidArgument "Invalid detach keys (x) provided".
base::Result<std::string> check_detach_keys(const std::string& keys);

}  // namespace engine
