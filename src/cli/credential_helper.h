#pragma once
/// docker-credential-<name>: the user's own program that keeps passwords. Source: the protocol of
/// docker/docker-credential-helpers: `get` with the server's address on stdin answers with JSON,
/// `store` takes JSON, `erase` an address.

#include <optional>
#include <string>

#include "base/result.h"
#include "cli/config.h"

namespace cli {

/// nullopt: it has none for this server. Errors: NotFound (no such program in PATH), Internal (what it
/// said).
base::Result<std::optional<Credentials>> ask_credential_helper(const std::string& name,
                                                               const std::string& server);

/// `store`: keeps what a login gave. The same errors.
base::Result<> tell_credential_helper(const std::string& name, const std::string& server,
                                      const Credentials& credentials);
/// `erase`: nothing there is success. The same errors.
base::Result<> erase_in_credential_helper(const std::string& name, const std::string& server);

}  // namespace cli
