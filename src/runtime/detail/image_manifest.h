#pragma once
/// The sizes of a checkpoint's images, in a file beside them: {"pages-1.img": 45056, …}.
///
/// CRIU trusts its images. Some releases never end when one is shorter than it was, as an interrupted copy
/// leaves it; so that is looked for before CRIU is asked. A checkpoint without the file is taken as it is.

#include <string_view>

#include "base/result.h"

namespace runtime::detail::criu {

inline constexpr std::string_view kManifestFile = "images.json";

/// Of what is in the directory `images` now.
base::Result<> write_manifest(int images);
/// Errors: InvalidArgument names an image that is missing or has another size.
base::Result<> check_manifest(int images);

}  // namespace runtime::detail::criu
