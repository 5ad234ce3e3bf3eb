#pragma once
/// /dev/shm of containers that let others join it (`--ipc shareable`): a tmpfs on the host, since two
/// mount namespaces must see the same one. All other containers have theirs in their own namespace only.

#include "engine/containers/core.h"

namespace engine {

[[nodiscard]] std::string shm_path(const Core& core, const std::string& id);
/// Mounts it if the container's mode asks for it; one that is there already is taken as it is.
base::Result<> make_shm(Core& core, const Record& record);
/// Nothing there is fine. What can't be unmounted is logged and tried again by the next daemon.
void drop_shm(Core& core, const std::string& id);

}  // namespace engine
