#pragma once
/// Taking an image out of the records: what `rmi`, prune and the budget have in common.

#include <string>

#include "image/detail/core.h"

namespace image::detail {

struct Unrecorded {
  Removed removed;
  bool deleted = false;  ///< the image itself, not only a name
};
/// The rows of one removal, by docker's rules; layers and blobs go by a collection afterwards.
base::Result<Unrecorded> remove_rows(Core& core, const std::string& ref, bool force, bool prune_parents,
                                     const ImageUsers& users);

}  // namespace image::detail
