#pragma once
/// The inside of Store::load.

#include <stop_token>
#include <vector>

#include "base/byte_stream.h"
#include "image/detail/core.h"
#include "image/detail/progress.h"

namespace image::detail {

/// `progress` may be null for a quiet load.
base::Result<std::vector<Store::Loaded>> load_archive(Core& core, base::ByteSource& archive,
                                                      Progress* progress, Progress* results,
                                                      const std::stop_token& stop,
                                                      const std::vector<spec::Platform>& platforms = {});

}  // namespace image::detail
