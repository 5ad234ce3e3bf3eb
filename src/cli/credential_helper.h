#pragma once
/// docker-credential-<name>: the user's own program that keeps passwords. Source: the protocol of
/// docker/docker-credential-helpers: `get` with the server's address on stdin answers with JSON.

#include <optional>
#include <string>

#include "base/result.h"
#include "cli/config.h"

namespace cli {

/// nullopt: it has none for this server. Errors: NotFound (no such program in PATH), Internal (what it
/// said).
base::Result<std::optional<Credentials>> ask_credential_helper(const std::string& name,
                                                               const std::string& server);

}  // namespace cli
