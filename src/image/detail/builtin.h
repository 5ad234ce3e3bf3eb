#pragma once
/// The images that come with the installation, for a machine without a registry: one archive
/// "<name>.tar" with the image "<name>:latest" of docker.io/library.

#include <stop_token>
#include <string>

#include "image/detail/core.h"
#include "image/detail/progress.h"

namespace image::detail {

/// The archive for `reference`, "" if there is none or if an image of that name is here already, which
/// is never replaced by an older one.
base::Result<std::string> find_builtin(const Core& core, const spec::Reference& reference);
base::Result<base::Digest> load_builtin(Core& core, const std::string& archive,
                                        const spec::Reference& reference, Progress& progress,
                                        const std::stop_token& stop);

}  // namespace image::detail
