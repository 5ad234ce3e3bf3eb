#pragma once
/// Running hooks. Source: OCI config.md "POSIX-platform Hooks".

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "spec/runtime_config.h"
#include "sys/process.h"

namespace runtime::detail {

/// Waits for a hook's end, at most for its timeout, and judges it. `output` is a memory file with what it said.
base::Result<> finish_hook(const spec::oci::Hook& hook, const sys::Process& process, int output);
/// One after the other, `state` on stdin, until one fails. `kind` is for the message: "createRuntime".
/// Errors: Internal, with exit status and output; also when a hook outlives its timeout and was killed.
base::Result<> run_hooks(std::string_view kind, const std::vector<spec::oci::Hook>& hooks, const std::string& state);
/// The same where the specification wants a warning and no failure.
void run_hooks_leniently(std::string_view kind, const std::vector<spec::oci::Hook>& hooks, const std::string& state);

}  // namespace runtime::detail
