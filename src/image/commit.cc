#include <algorithm>
#include <utility>

#include "image/detail/install.h"
#include "image/detail/new_layer.h"
#include "image/store.h"

namespace image {

using base::Digest;
using base::Result;

Result<Digest> Store::commit(const CommitRequest& request, base::FunctionRef<Result<bool>(base::ByteSink&)> write_layer) {
  const auto parent = TRY(detail::find_image(*core_, request.parent.str()));
  detail::NewImage image;
  image.config = TRY(detail::read_config(*core_, parent.id));
  const auto parent_layers = detail::chain_texts(image.config.diff_ids());
  const detail::Pin parent_pin{core_->board, parent_layers};
  std::vector<spec::Descriptor> blobs;
  // By the layers, which stay from here on: the parent's own record may go at any time.
  for (const auto& chain_id : parent_layers) {
    const auto layer = TRY(core_->records.layer(chain_id));
    if (!layer) return detail::no_such_image(request.parent.str());
    blobs.push_back(spec::Descriptor::of(layer->blob_media_type, layer->blob, layer->blob_size));
  }

  auto lease = core_->content.lease();
  auto ingest = TRY(core_->content.ingest_new());
  detail::LayerSink sink{ingest};
  const bool changed = TRY(write_layer(sink));
  if (changed) {
    TRY(sink.finish());
    const Digest blob = TRY(ingest.commit());
    lease.add(blob);
    blobs.push_back(spec::Descriptor::of(spec::media::kOciLayerGzip, blob, sink.compressed_bytes()));
    image.config.rootfs.diff_ids.push_back(sink.diff_id().str());
  } else {
    ingest.abort();
  }

  // A config need not tell its history, but what is told must be of all layers.
  const auto told = std::ranges::count(image.config.history, false, &spec::HistoryEntry::empty_layer);
  const std::size_t layers = blobs.size() - (changed ? 1 : 0);
  for (auto i = static_cast<std::size_t>(told); i < layers; ++i) {
    image.config.history.push_back({.created = image.config.created});
  }
  const std::string now = base::to_rfc3339(base::now());
  image.config.created = now;
  image.config.author = request.author;
  image.config.comment = request.comment;
  image.config.config = request.config;
  image.config.parent = parent.id.str();
  image.config.history.push_back({.created = now, .created_by = request.created_by, .author = request.author,
                                  .comment = request.comment, .empty_layer = !changed});
  image.config_bytes = image.config.dump();

  const auto jobs = TRY(detail::layer_jobs(blobs, image.config));
  const detail::Pin pin{core_->board, detail::chain_texts(image.config.diff_ids())};
  detail::BlobMaker maker{*core_};
  TRY(detail::install_layers(*core_, jobs, maker, 1, {}));
  if (request.name) image.references.push_back({*request.name, {}});
  return detail::commit_image(*core_, lease, image);
}

}  // namespace image
