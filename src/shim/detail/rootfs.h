#pragma once
/// The container's root file system from its layers.

#include <string>

#include "base/result.h"
#include "shim/protocol.h"
#include "sys/fd.h"

namespace shim::detail {

/// A detached overlay mount.
base::Result<sys::UniqueFd> make_root(const Overlay& overlay);
/// The same on `target`, made here, for runtimes that want a path. Visible on the host.
base::Result<> mount_root(const Overlay& overlay, const std::string& target);
/// Undoes mount_root. Nothing there is success.
base::Result<> unmount_root(const std::string& target);

}  // namespace shim::detail
