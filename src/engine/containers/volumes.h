#pragma once
/// The container's side of volumes: making those that it names.

#include <vector>

#include "engine/containers/core.h"

namespace engine {

/// Makes the volumes of the record's mounts that are not there yet. Those it made; undone on failure.
base::Result<std::vector<volume::Volume>> make_volumes(Core& core, const Record& record);
/// Copies what the image has at the mount's place into each volume that is still empty, as docker does
/// unless `nocopy` was asked for. The snapshot exists and is mounted by nobody.
base::Result<> fill_volumes(Core& core, const Record& record);
/// Undo of make_volumes, when something later fails.
void drop_new_volumes(Core& core, const std::vector<volume::Volume>& volumes);

}  // namespace engine
