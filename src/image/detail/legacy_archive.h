#pragma once
/// Archives of docker before 1.10: `repositories` names images by their old ids, "<id>/json" is a config
/// with its parent, "<id>/layer.tar" its layer. A config of today is made from the chain of them.
/// Source: moby, image/spec/v1.md.

#include <string>
#include <vector>

#include "base/result.h"
#include "image/detail/archive.h"
#include "spec/reference.h"

namespace image::detail {

struct LegacyImage {
  spec::ImageConfig config;
  std::vector<ArchiveLayer*> layers;  ///< the lowest first
  std::vector<spec::Reference> names;
};

/// `repositories`: that document. Errors: InvalidArgument.
base::Result<std::vector<LegacyImage>> read_legacy(Archive& archive, const std::string& repositories);

}  // namespace image::detail
