#pragma once
/// Creating a container the way `create` and `run` do: with its image pulled when it is missing.

#include <string>

#include "base/result.h"
#include "cli/cli.h"
#include "cli/container/options.h"
#include "client/containers.h"

namespace cli {

struct CreateFlags {
  std::string pull = "missing";
  bool quiet = false;
  void bind(FlagBinder& flags);
  /// Errors: "invalid pull option: …".
  [[nodiscard]] base::Result<> check() const;
};

/// The environment of the configuration's `proxies`, where `env` does not have the variables.
void add_proxies(Cli& cli, client::Client& client, std::vector<std::string>& env);

/// Writes the cidfile, shows the daemon's warnings. The container's id.
base::Result<std::string> create_container(Cli& cli, client::Client& client, const CreateFlags& flags,
                                           const ContainerOptions& options,
                                           spec::api::CreateContainerRequest request);

}  // namespace cli
