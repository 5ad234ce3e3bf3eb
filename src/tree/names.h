#pragma once
/// Names in archives: what they say about a place, and what overlay and OCI mean by some of them.
/// All pure.

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tree {

inline constexpr std::string_view kWhiteoutPrefix = ".wh.";
inline constexpr std::string_view kOpaqueMarker = ".wh..wh..opq";
/// aufs' own files in very old layers, which mean nothing here.
inline constexpr std::string_view kWhiteoutMetaPrefix = ".wh..wh.";
inline constexpr const char* kOverlayOpaque = "trusted.overlay.opaque";

/// "./a//b/../c/" → "a/c"; "" for the root itself. Absolute names count from the root.
/// Errors: InvalidArgument (climbs out of the root, has a NUL, is empty or too long).
base::Result<std::string> clean_path(std::string_view path, std::size_t limit);

/// Folder and last component of a clean path: "a/b/c" → {"a/b", "c"}.
struct Place {
  std::string_view folder;
  std::string_view name;
};
Place split_path(std::string_view clean);

enum class XattrRule : std::uint8_t {
  Keep,    ///< belongs to the file
  Ignore,  ///< belongs to the host that made the archive: labels, ACLs in another encoding
  Refuse,  ///< would change what overlayfs or another privileged program believes
};
XattrRule rule_of(std::string_view xattr);

}  // namespace tree
