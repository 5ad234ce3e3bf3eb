#pragma once
/// startContainer hooks. Their programs are the image's, and they run in the container's namespaces: so each
/// one gets what the container's process will have, user, capabilities, limits, label and filter, and nothing
/// of the runtime's. Source: OCI config.md "POSIX-platform Hooks".

#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/detail/final_stage.h"
#include "spec/runtime_config.h"

namespace runtime::detail {

/// In init, before its own last steps, which `stage` has. Errors: Internal, as run_hooks has them.
base::Result<> run_start_hooks(const std::vector<spec::oci::Hook>& hooks, const std::string& state,
                               const FinalStage& stage);

}  // namespace runtime::detail
