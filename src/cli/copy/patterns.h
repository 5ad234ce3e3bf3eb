#pragma once
/// Patterns in the source of a copy: `web:/etc/*.conf`. A path that is there by its letters is meant, whatever stands
/// in it; only then is it a pattern.

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/copy/places.h"
#include "client/container_files.h"

namespace cli::copy {

/// The source's path when it is none, or not one that matches, so that the error is the usual one.
/// Errors: NotImplemented: a daemon that does not expand them.
base::Result<std::vector<std::string>> matching_in_container(client::ContainerFiles& files, const Argument& source);
/// The same on this machine; "-" is no path.
base::Result<std::vector<std::string>> matching_here(const std::string& path);
base::Result<bool> is_local_directory(const std::string& path);

}  // namespace cli::copy
