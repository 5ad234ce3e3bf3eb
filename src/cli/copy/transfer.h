#pragma once
/// The two directions of an archive on this machine: unpacking what a container sent, and packing what it is to get.

#include <cstdint>

#include "base/byte_stream.h"
#include "base/function_ref.h"
#include "base/result.h"
#include "cli/copy/places.h"

namespace cli::copy {

/// Told the bytes so far, now and then, on the calling thread.
using Progress = base::FunctionRef<void(std::uint64_t bytes)>;

/// Unpacks below the plan's folder, as the calling user's own. Links of the archive lead nowhere outside of that
/// folder, nor do its names; a directory stays one and a file a file. The bytes read.
base::Result<std::uint64_t> unpack(base::ByteSource& tar, const Plan& plan, Progress progress);

/// Packs `source` into a stream while `send` reads it. The bytes written.
base::Result<std::uint64_t> pack(const Place& source, const Plan& plan, Progress progress,
                                 base::FunctionRef<base::Result<>(base::ByteSource& tar)> send);

}  // namespace cli::copy
