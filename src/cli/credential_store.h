#pragma once
/// What `login` keeps and `logout` removes: in config.json, or with the credential helper that it names.
///
/// The file is written as a whole, 0600, through a symbolic link to where it leads; members that this program does
/// not know stay. Source: docker's reference, "docker login", "Credential stores".

#include <string>

#include "base/result.h"
#include "cli/cli.h"

namespace cli {

enum class Kept : std::uint8_t {
  WithHelper,
  InFile,      ///< anybody who reads the file has the password
  AsItWas,     ///< the file had the same already, or has a token instead of a password
};

/// Errors: those of the helper and of writing.
base::Result<Kept> keep_credentials(Cli& cli, const std::string& server, const Credentials& credentials);
/// Nothing there is success. Errors: the same.
base::Result<> erase_credentials(Cli& cli, const std::string& server);

/// Of the user's folder: "/root/.docker/config.json".
[[nodiscard]] std::string config_path(const Cli& cli);

}  // namespace cli
