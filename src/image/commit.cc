#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "codec/compression.h"
#include "codec/sha256.h"
#include "image/detail/install.h"
#include "image/store.h"

namespace image {

using base::Digest;
using base::Result;

namespace {

/// Hashes what goes to be compressed, and counts what comes out.
class LayerSink final : public base::ByteSink {
 public:
  explicit LayerSink(content::Ingest& ingest)
      : counter_{ingest}, compressor_{codec::compress(counter_, codec::Compression::Gzip)} {}

  Result<> write(std::string_view bytes) override {
    hash_.update(bytes);
    return compressor_->write(bytes);
  }
  Result<> finish() { return compressor_->finish(); }
  [[nodiscard]] Digest diff_id() const { return hash_.digest(); }
  [[nodiscard]] std::uint64_t compressed_bytes() const { return counter_.bytes; }

 private:
  struct Counter final : base::ByteSink {
    explicit Counter(base::ByteSink& the_sink) : sink{the_sink} {}
    Result<> write(std::string_view text) override {
      bytes += text.size();
      return sink.write(text);
    }
    base::ByteSink& sink;
    std::uint64_t bytes = 0;
  };

  Counter counter_;
  std::unique_ptr<codec::Compressor> compressor_;
  codec::Sha256 hash_;
};

/// Unpacks the new layer from the blob that was just written; the parent's are there.
class CommitMaker final : public detail::LayerMaker {
 public:
  explicit CommitMaker(detail::Core& core) : core_{core} {}
  Result<detail::Prepared> make(const detail::LayerJob& job, const std::stop_token& /*stop*/) override {
    const auto source = TRY(core_.content.source(job.blob.digest()));
    return detail::unpack(core_, *source, job);
  }
  void exists(const detail::LayerJob& /*job*/) override {}
  void planned(const detail::LayerJob& /*job*/) override {}
  void waits(const detail::LayerJob& /*job*/) override {}
  void finished(const detail::LayerJob& /*job*/) override {}

 private:
  detail::Core& core_;
};

}  // namespace

Result<Digest> Store::commit(const CommitRequest& request, base::FunctionRef<Result<bool>(base::ByteSink&)> write_layer) {
  const auto parent = TRY(detail::find_image(*core_, request.parent.str()));
  detail::NewImage image;
  image.config = TRY(detail::read_config(*core_, parent.id));
  const detail::Pin parent_pin{core_->board, detail::chain_texts(image.config.diff_ids())};
  std::vector<spec::Descriptor> blobs;
  for (const auto& layer : TRY(core_->records.layers_of(parent.id))) {
    blobs.push_back(spec::Descriptor::of(layer.blob_media_type, layer.blob, layer.blob_size));
  }

  auto lease = core_->content.lease();
  auto ingest = TRY(core_->content.ingest_new());
  LayerSink sink{ingest};
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
  CommitMaker maker{*core_};
  TRY(detail::install_layers(*core_, jobs, maker, 1, {}));
  if (request.name) image.references.push_back({*request.name, {}});
  return detail::commit_image(*core_, lease, image);
}

}  // namespace image
