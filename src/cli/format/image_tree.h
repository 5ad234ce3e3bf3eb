#pragma once
/// `image ls --tree`: each image with its names and, below it, the platforms that its index has.
/// Source: the output of docker's client, without its colours.

#include <string>
#include <vector>

#include "spec/engine/image.h"

namespace cli {

/// The whole text. `columns`: of the terminal, at least kNarrowest are taken. `untagged`: also images without name.
[[nodiscard]] std::string image_tree(const std::vector<spec::api::ImageSummary>& images, std::size_t columns,
                                     bool untagged);

}  // namespace cli
