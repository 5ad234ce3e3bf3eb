#pragma once
/// Overlay mounts that are mounted nowhere. Source: Documentation/filesystems/overlayfs.rst.

#include <string>
#include <vector>

#include "base/result.h"
#include "sys/fd.h"

namespace sys {

struct OverlayLayers {
  std::vector<std::string> lowers;  ///< absolute folders, the topmost first; up to 500
  std::string upper, work;          ///< both empty: read-only
  std::vector<std::string> options; ///< "index=off", "volatile"
};

/// A detached mount of exactly these, for attach_mount. Layers are given one by one where the kernel
/// can (Linux 6.5, "lowerdir+"). Before that they are one text of at most 256 bytes in fsconfig(2), so
/// a longer one is mounted by mount(2) on `scratch`, an empty folder of the caller's, from the folder
/// that all lowers share, and detached again; this needs a mount namespace that nobody else looks into.
/// Errors: NotImplemented (no overlayfs in this kernel), InvalidArgument (its reason).
base::Result<UniqueFd> make_overlay(const OverlayLayers& layers, const std::string& scratch = {});

}  // namespace sys
