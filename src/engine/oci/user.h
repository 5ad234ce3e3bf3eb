#pragma once
/// `--user` as docker reads it: names and numbers against the container's own passwd and group.
/// Source: passwd(5), group(5); docker's documentation of --user and --group-add. Pure.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "spec/runtime_config.h"

namespace engine::oci {

/// `user` is "", "name", "uid", "name:group", "uid:gid" …; `passwd` and `group` are the texts of the
/// files, "" where there are none. Without a group the user's own applies, and its memberships; with
/// one, that group only. Errors: InvalidArgument "unable to find user x: no matching entries in passwd
/// file" and the like.
base::Result<spec::oci::User> resolve_user(std::string_view user, std::string_view passwd,
                                           std::string_view group,
                                           const std::vector<std::string>& further_groups);
/// Whether the answer depends on the files. Not for "7:7" without further groups by name.
[[nodiscard]] bool needs_user_files(std::string_view user, const std::vector<std::string>& further_groups);

}  // namespace engine::oci
