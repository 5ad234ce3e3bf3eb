#pragma once
/// What can be found wrong with a configuration before anything is made. Messages name the field.

#include "base/result.h"
#include "spec/runtime_config.h"

namespace runtime::detail {

struct InitPlan;

/// Errors: InvalidArgument; NotImplemented for what this host does not have (a security module).
base::Result<> check_config(const InitPlan& plan);
/// The part that `exec` shares.
base::Result<> check_process(const spec::oci::Process& process);

/// MPOL_* mode with its flags. Errors: InvalidArgument.
base::Result<int> memory_policy_of(const spec::oci::MemoryPolicy& wanted);

/// For `features`.
[[nodiscard]] std::vector<std::string> known_memory_policies();
[[nodiscard]] std::vector<std::string> known_memory_policy_flags();

}  // namespace runtime::detail
