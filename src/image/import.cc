#include <array>
#include <utility>

#include "base/strings.h"
#include "image/detail/new_layer.h"
#include "image/detail/progress.h"
#include "image/store.h"

namespace image {

using base::Digest;
using base::Result;

namespace {

/// "example.com/x.tar" is an URL, too: docker has always taken it for one.
std::string url_of(const std::string& source) {
  return source.find("://") == std::string::npos ? "http://" + source : source;
}

/// The archive as plain tar. `size` of what is read; 0 when nobody knows.
Result<> copy_plain(base::ByteSource& archive, std::uint64_t size, base::ByteSink& layer, detail::Progress* progress,
                    const std::stop_token& stop) {
  const auto plain = TRY(codec::decompress(archive).context("import"));
  std::optional<detail::Meter> meter;
  if (progress != nullptr) meter.emplace(*progress, "", "Importing", size);
  std::string buffer(std::size_t{256} << 10U, '\0');
  for (;;) {
    if (stop.stop_requested()) return base::unavailable("context canceled");
    const std::size_t count = TRY(plain->read(buffer));
    if (count == 0) break;
    TRY(layer.write({buffer.data(), count}));
    if (meter) meter->advance_to(plain->compressed_bytes());
  }
  if (meter) meter->finish();
  return {};
}

}  // namespace

Result<Digest> Store::import(const ImportRequest& request, base::ByteSource* archive, ProgressSink& sink,
                             std::stop_token stop) {
  const auto platform = TRY(spec::Platform::parse(request.platform));
  detail::Progress progress{sink};
  distribution::Download download;
  if (archive == nullptr) {
    const std::string url = url_of(request.source);
    download = TRY(core_->client->fetch(url, stop));
    progress.status("Downloading from " + url);
  }
  auto lease = core_->content.lease();
  auto ingest = TRY(core_->content.ingest_new());
  detail::LayerSink layer{ingest};
  TRY(copy_plain(archive != nullptr ? *archive : *download.bytes, download.size.value_or(0), layer,
                 archive != nullptr ? nullptr : &progress, stop));
  TRY(layer.finish());
  const Digest blob = TRY(ingest.commit());
  lease.add(blob);

  detail::NewImage image;
  const std::string now = base::to_rfc3339(base::now());
  image.config.created = now;
  image.config.architecture = platform.architecture;
  image.config.variant = platform.variant;
  image.config.os = platform.os;
  image.config.config = request.config;
  image.config.comment = request.comment;
  image.config.rootfs.diff_ids = {layer.diff_id().str()};
  image.config.history = {{.created = now, .created_by = {}, .author = {}, .comment = request.comment}};
  image.config_bytes = image.config.dump();

  const auto jobs = TRY(detail::layer_jobs(
      {spec::Descriptor::of(spec::media::kOciLayerGzip, blob, layer.compressed_bytes())}, image.config));
  const detail::Pin pin{core_->board, detail::chain_texts(image.config.diff_ids())};
  detail::BlobMaker maker{*core_};
  if (auto installed = detail::install_layers(*core_, jobs, maker, 1, stop); !installed) {
    // What is no tar leaves nothing behind.
    base::ignore(core_->content.remove(blob), "it is collected later");
    return std::move(installed.error());
  }
  if (request.name) image.references.push_back({*request.name, {}});
  const Digest id = TRY(detail::commit_image(*core_, lease, image));
  progress.status(id.str());
  return id;
}

}  // namespace image
