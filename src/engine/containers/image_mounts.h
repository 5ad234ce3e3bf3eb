#pragma once
/// `--mount type=image`: the files of an image, read-only, in a container of another one. While the container
/// runs they are mounted below <exec-root>/images/<container>/, since an overlay has no path otherwise.

#include <string>

#include "base/result.h"
#include "engine/containers/core.h"

namespace engine {

[[nodiscard]] std::string image_mount_path(const Core& core, const std::string& container, std::size_t index);

/// The images by what they are called, as ids, so that a tag that moves changes nothing. At create.
/// Errors: NotFound "No such image: x".
base::Result<> resolve_image_mounts(Core& core, Record& record);

/// All of them, where they are not mounted already. Undoes itself on failure.
base::Result<> make_image_mounts(Core& core, const Record& record);
/// Nothing there is success; what fails is logged.
void drop_image_mounts(Core& core, const std::string& container);

}  // namespace engine
