#pragma once
/// A context by its name, the default one among them, which flags and environment make.

#include <map>
#include <string>

#include "base/result.h"
#include "cli/cli.h"
#include "cli/context/endpoint.h"
#include "cli/context/store.h"

namespace cli {

inline constexpr std::string_view kDefaultDescription = "Current DOCKER_HOST based configuration";

/// As in the store. Errors: NotFound; of the default one, those of Cli::target_of.
base::Result<codec::Json> context_meta(Cli& cli, const std::string& name);
base::Result<ContextTls> context_tls(Cli& cli, const std::string& name);

/// Makes a context of what `create`, `import` and `update` collected: `meta` without its name, and certificates.
/// When it can't be made whole, nothing is left of it.
base::Result<> save_context(Cli& cli, const std::string& name, codec::Json meta, const ContextTls& tls);

/// For flags::custom: "host=tcp://x:1,ca=y".
base::Result<> add_endpoint_setting(std::map<std::string, std::string>& settings, std::string_view text);
/// What --docker says; `from` is another context's endpoint as it is. Errors: "unable to create docker endpoint
/// config: …".
base::Result<EndpointSettings> endpoint_from_settings(Cli& cli, const std::map<std::string, std::string>& settings);

/// "Warning: DOCKER_HOST environment variable overrides …" on stderr, where it does. `use`: what the user would
/// have: "a context", "\"x\"".
void warn_of_host_variable(Cli& cli, std::string_view use);

/// `meta` with its "docker" endpoint replaced, or made.
[[nodiscard]] codec::Json with_docker_endpoint(codec::Json meta, codec::Json endpoint);
/// `meta` with its description replaced; "" keeps the one that it has.
[[nodiscard]] codec::Json with_description(codec::Json meta, const std::string& description);

}  // namespace cli
