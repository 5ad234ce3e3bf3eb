#pragma once
/// The container's side of volumes: making those that it names.

#include <vector>

#include "engine/containers/core.h"

namespace engine {

/// Makes the volumes of the record's mounts that are not there yet. Those it made; undone on failure.
base::Result<std::vector<volume::Volume>> make_volumes(Core& core, const Record& record);
/// Undo of the above, when something later fails.
void drop_new_volumes(Core& core, const std::vector<volume::Volume>& volumes);

}  // namespace engine
