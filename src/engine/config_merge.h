#pragma once
/// What an image says about its containers, filled into what a user asked for. Pure.

#include "base/result.h"
#include "spec/engine/container.h"

namespace engine {

/// Docker's rules: what the user gave wins; Env, Labels, Volumes and ExposedPorts are united; the
/// image's Cmd counts only where the user gave neither Cmd nor Entrypoint; an Entrypoint of one empty
/// string clears the image's. Errors: InvalidArgument "no command specified", and for environment
/// entries or labels that are malformed.
base::Result<> merge_image_config(spec::api::ContainerConfig& config, const spec::api::ContainerConfig& image);

/// The command line of the container: Entrypoint followed by Cmd. Not empty after a merge.
[[nodiscard]] std::vector<std::string> command_line(const spec::api::ContainerConfig& config);

/// Sets each "KEY=value" of `more` in `env`, in place where the key is there already; "KEY" alone
/// takes the key out.
void apply_env(std::vector<std::string>& env, const std::vector<std::string>& more);

}  // namespace engine
