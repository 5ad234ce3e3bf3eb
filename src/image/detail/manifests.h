#pragma once
/// What the API says about the manifests under a name.

#include <vector>

#include "base/result.h"
#include "image/detail/variants.h"

namespace image::detail {

/// Of the index that `reference` names, or of the one manifest of the image. `users` may be null.
base::Result<std::vector<spec::api::ManifestSummary>> manifest_summaries(const Core& core, const ImageRecord& image,
                                                                         const std::optional<KeptIndex>& index,
                                                                         const ImageUsers* users);
/// What the name leads to in a registry.
base::Result<spec::Descriptor> target_of(const Core& core, const ImageRecord& image,
                                         const std::optional<KeptIndex>& index);

}  // namespace image::detail
