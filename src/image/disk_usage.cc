#include <map>

#include "image/detail/core.h"
#include "image/store.h"

namespace image {

using base::Result;

Result<DiskUsage> Store::disk_usage() const {
  DiskUsage usage;
  std::map<std::string, int> users;  // of a layer, by chain id
  for (const auto& layer : TRY(core_->records.layers())) usage.layers += layer.size;
  usage.images = TRY(list({}));
  std::map<std::string, std::vector<detail::LayerRecord>> layers;
  for (const auto& image : TRY(core_->records.images())) {
    auto own = TRY(core_->records.layers_of(image.id));
    for (const auto& layer : own) ++users[layer.chain_id];
    layers.emplace(image.id.str(), std::move(own));
  }
  for (auto& image : usage.images) {
    image.shared_size = 0;
    for (const auto& layer : layers[image.id]) {
      if (users[layer.chain_id] > 1) image.shared_size += static_cast<std::int64_t>(layer.size);
    }
  }
  return usage;
}

Result<DiskSpace> Store::disk_space() const {
  const auto content = TRY(core_->content.space());
  const auto snapshots = TRY(core_->snapshotter.space());
  return DiskSpace{.blobs = content.blobs + content.other,
                   .ingests = content.ingests,
                   .layers = snapshots.layers + snapshots.unnamed,
                   .writable = snapshots.writable,
                   .removing = snapshots.removing};
}

}  // namespace image
