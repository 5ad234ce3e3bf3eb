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
/// A container's anonymous volumes come and go with its row, but are not in the same transaction. So
/// their names are noted on the disk while they are there without it: a daemon that dies in between
/// leaves nothing that no `rm -v` would ever find. Without such volumes this costs nothing.
base::Result<> note_volumes(Core& core, const Record& record);
void forget_noted_volumes(Core& core, const Record& record);
/// At the daemon's start, with all rows loaded: removes the noted volumes of containers without a row.
void collect_noted_volumes(Core& core);
/// Whether another container than `but` has it.
[[nodiscard]] bool is_used_elsewhere(Core& core, const std::string& volume, const std::string& but);
/// Undo of make_volumes, when something later fails.
void drop_new_volumes(Core& core, const std::vector<volume::Volume>& volumes);

/// Mounts the volumes that are a mount (tmpfs, nfs, a folder of the host), and images, for as long as the
/// container runs.
/// Undoes itself on failure. Errors: Internal "error while mounting volume '…': …".
base::Result<> acquire_volumes(Core& core, const Record& record);
/// What fails is logged.
void release_volumes(Core& core, const Record& record);

}  // namespace engine
