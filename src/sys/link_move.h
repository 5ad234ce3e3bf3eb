#pragma once
/// Moving an interface from one network namespace to another, with what it has.
/// Sources: rtnetlink(7), network_namespaces(7); OCI config-linux.md "Network Devices".

#include <string>

#include "base/result.h"

namespace sys {

struct LinkMove {
  int from = -1;  ///< namespace files
  int to = -1;
  std::string name;
  std::string new_name;  ///< may end in "%d": the kernel picks a number
};

/// The interface arrives with its permanent addresses of global scope, and up. Gives its name there.
/// Errors: NotFound (no such interface), Conflict (the name is taken there: looked at before anything
/// is moved), PermissionDenied, InvalidArgument (one that can't be moved, such as lo). When a later
/// step fails the interface is put back.
base::Result<std::string> move_link(const LinkMove& move);

/// What the kernel takes as an interface's name: dev_valid_name() in net/core/dev.c.
[[nodiscard]] bool is_link_name(std::string_view name);

}  // namespace sys
