#pragma once
/// -v and --mount. Pure but for the working directory, which a relative source is based on.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "spec/engine/container.h"

namespace cli {

struct Volumes {
  std::vector<std::string> binds;
  spec::api::NameSet anonymous;
};
/// Errors: InvalidArgument with docker's messages.
base::Result<Volumes> parse_volumes(const std::vector<std::string>& specs);

/// For flags::custom: "type=bind,source=/a,target=/b,readonly".
base::Result<> add_mount(std::vector<spec::api::Mount>& mounts, std::string_view text);

}  // namespace cli
