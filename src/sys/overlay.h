#pragma once
/// overlayfs as a detached mount.
/// Sources: Documentation/filesystems/overlayfs.rst; fsconfig(2): a string holds at most 255 bytes.

#include <string>
#include <vector>

#include "base/result.h"
#include "sys/fd.h"

namespace sys {

struct OverlayLayers {
  std::vector<std::string> lowers;  ///< absolute folders, the topmost first; at least one
  std::string upper;                ///< with `work`; both empty: read-only, then two lowers at least
  std::string work;
  std::vector<std::string> options;  ///< "index=off", "userxattr", …
};

/// An overlay that is mounted nowhere yet; attach_mount puts it in place. From Linux 6.5 on any number
/// of layers (the kernel's limit is 500) goes in one by one. Before, the list must fit into one page,
/// so it is mounted with names relative to the folder that all have in common, in a thread with a
/// mount namespace of its own: 500 layers named "1234/fs" fit.
/// Errors: NotImplemented (no overlayfs in this kernel), InvalidArgument (the file system of `upper`
/// can't be one), NotFound (a folder).
base::Result<UniqueFd> make_overlay(const OverlayLayers& overlay);

namespace detail {
/// The ways of make_overlay by themselves.
base::Result<UniqueFd> make_overlay_by_layer(const OverlayLayers& overlay);
base::Result<UniqueFd> make_overlay_in_one_string(const OverlayLayers& overlay);
}  // namespace detail

}  // namespace sys
