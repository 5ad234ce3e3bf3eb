#include <algorithm>
#include <array>
#include <atomic>
#include <set>
#include <thread>
#include <utility>

#include "base/log.h"
#include "codec/describe.h"
#include "image/detail/core.h"
#include "image/detail/layer_blob.h"
#include "image/detail/progress.h"
#include "image/detail/variants.h"
#include "image/store.h"

namespace image {
namespace {

using base::Digest;
using base::Error;
using base::Result;
using detail::Core;
using detail::ImageRecord;
using detail::LayerRecord;
using detail::Meter;
using detail::Progress;
using distribution::PushedBlob;

/// More places to mount a blob from are not worth their requests.
constexpr std::size_t kMostMountSources = 3;

class StoredBlob final : public distribution::BlobReader {
 public:
  StoredBlob(Core& core, Digest digest) : core_{core}, digest_{std::move(digest)} {}
  Result<std::unique_ptr<base::ByteSource>> open(std::uint64_t offset) override {
    return detail::open_layer_blob(core_, digest_, offset);
  }

 private:
  Core& core_;
  const Digest digest_;
};

/// A layer's line on the client's screen.
class LayerLine final : public distribution::PushObserver {
 public:
  LayerLine(Progress& progress, std::string id, std::uint64_t size)
      : progress_{progress}, id_{std::move(id)}, meter_{progress, id_, "Pushing", size} {}

  void sent(std::uint64_t bytes) override { meter_.advance_to(bytes); }
  void retrying(std::chrono::seconds delay, const Error& cause) override {
    base::log::warn("pushing layer {}: {}; trying again", id_, cause.message());
    const auto count = delay.count();
    progress_.step(id_, "Retrying in " + std::to_string(count) + (count == 1 ? " second" : " seconds"));
  }
  void done(const PushedBlob& blob) {
    switch (blob.how) {
      case PushedBlob::How::Exists: progress_.step(id_, "Layer already exists"); break;
      case PushedBlob::How::Mounted: progress_.step(id_, "Mounted from " + blob.mounted_from); break;
      case PushedBlob::How::Uploaded:
        meter_.finish();
        progress_.step(id_, "Pushed");
        break;
    }
  }

 private:
  Progress& progress_;
  const std::string id_;
  Meter meter_;
};

/// What one tag's push needs of the store.
struct Cargo {
  struct Part {
    ImageRecord image;
    std::vector<LayerRecord> layers;  ///< the lowest first
  };
  std::string tag;
  ImageRecord image;                             ///< what the tag stands for
  std::vector<Part> parts;                       ///< the image, or all of the index
  std::optional<detail::KeptIndex> index;        ///< is pushed: all of it is here
  std::optional<detail::KeptIndex> partial;      ///< is not, since some of it is missing
  std::vector<spec::Descriptor> attestations;    ///< of the index
};

/// One call of Store::push.
class Push {
 public:
  Push(Core& core, const PushRequest& request, Progress& progress, const std::stop_token& stop)
      : core_{core}, request_{request}, progress_{progress}, stop_{stop}, lease_{core.content.lease()} {}

  Result<std::vector<Pushed>> run();

 private:
  Result<std::vector<std::string>> tags() const;
  Result<Cargo> find(const std::string& tag);
  Result<> add_part(Cargo& cargo, const ImageRecord& image);
  Result<> find_mount_sources(const std::vector<Cargo>& cargo);
  Result<Pushed> push_tag(const Cargo& cargo);
  Result<> push_layers(const std::vector<LayerRecord>& layers);
  Result<> push_layer(const LayerRecord& layer);
  Result<> push_config(const ImageRecord& image);
  Result<Digest> push_image(const Cargo::Part& part, const std::string& tag_or_digest);
  Result<> push_attestation(const spec::Descriptor& manifest);
  void say_what_is_missing(const Cargo& cargo);

  Core& core_;
  const PushRequest& request_;
  Progress& progress_;
  const std::stop_token& stop_;
  content::Lease lease_;
  std::vector<std::unique_ptr<detail::Pin>> pins_;  ///< a blob may have to be made again from its layer
  std::unique_ptr<distribution::Repository> repository_;
  std::map<std::string, std::vector<std::string>> mount_sources_;  ///< blob → repository paths
  std::set<std::string> pushed_;                                   ///< blobs of tags before
};

Result<std::vector<std::string>> Push::tags() const {
  const auto& wanted = request_.reference;
  std::vector<std::string> found;
  for (const auto& record : TRY(core_.records.references())) {
    if (record.is_digest()) continue;
    const auto reference = record.parsed();
    if (reference.name() != wanted.name()) continue;
    if (wanted.tag().empty() || reference.tag() == wanted.tag()) found.push_back(reference.tag());
  }
  if (!found.empty()) return found;
  if (wanted.tag().empty()) {
    return base::not_found("An image does not exist locally with the tag: " + wanted.familiar_name());
  }
  return base::not_found("tag does not exist: " + wanted.familiar());
}

Result<Cargo> Push::find(const std::string& tag) {
  const auto reference = TRY(request_.reference.with_tag(tag));
  Cargo cargo;
  cargo.tag = tag;
  cargo.image = TRY(detail::find_variant(core_, reference.str(), request_.platform));
  auto index = TRY(detail::index_of(core_, reference.str()));
  const bool whole = index && request_.platform.empty() && index->is_whole(core_);
  if (!whole) {
    if (index && request_.platform.empty()) cargo.partial = std::move(index);
    TRY(add_part(cargo, cargo.image));
    return cargo;
  }
  lease_.add(index->digest);
  for (const auto& variant : index->variants) {
    if (variant.image) TRY(add_part(cargo, *variant.image));
    if (!variant.is_attestation()) continue;
    cargo.attestations.push_back(variant.descriptor);
    for (const auto& blob : TRY(detail::attestation_blobs(core_, variant.descriptor))) lease_.add(blob);
  }
  cargo.index = std::move(index);
  return cargo;
}

Result<> Push::add_part(Cargo& cargo, const ImageRecord& image) {
  Cargo::Part part{image, TRY(core_.records.layers_of(image.id))};
  lease_.add(image.id);
  lease_.add(image.manifest);
  std::vector<std::string> chain_ids;
  for (const auto& layer : part.layers) {
    lease_.add(layer.blob);
    if (!layer.recipe.empty()) lease_.add(layer.recipe);
    chain_ids.push_back(layer.chain_id);
  }
  pins_.push_back(std::make_unique<detail::Pin>(core_.board, std::move(chain_ids)));
  cargo.parts.push_back(std::move(part));
  return {};
}

/// Repositories of the same registry that have an image with the layer, as far as we know.
Result<> Push::find_mount_sources(const std::vector<Cargo>& cargo) {
  std::set<std::string> wanted;
  for (const auto& one : cargo) {
    for (const auto& part : one.parts) {
      for (const auto& layer : part.layers) wanted.insert(layer.blob.str());
    }
  }
  std::map<std::string, std::vector<std::string>> blobs_of;  // by image
  for (const auto& record : TRY(core_.records.references())) {
    // Only what came from there or went there has a digest's name.
    if (!record.is_digest()) continue;
    const auto other = record.parsed();
    if (other.domain() != request_.reference.domain() || other.path() == request_.reference.path()) continue;
    auto [blobs, fresh] = blobs_of.try_emplace(record.image_id.str());
    if (fresh) {
      for (const auto& layer : TRY(core_.records.layers_of(record.image_id))) {
        if (wanted.contains(layer.blob.str())) blobs->second.push_back(layer.blob.str());
      }
    }
    for (const auto& blob : blobs->second) {
      auto& paths = mount_sources_[blob];
      if (paths.size() < kMostMountSources && std::ranges::find(paths, other.path()) == paths.end()) {
        paths.push_back(other.path());
      }
    }
  }
  return {};
}

Result<std::vector<Pushed>> Push::run() {
  progress_.status("The push refers to repository [" + request_.reference.name() + "]");
  std::vector<Cargo> cargo;
  for (const auto& tag : TRY(tags())) cargo.push_back(TRY(find(tag)));
  TRY(find_mount_sources(cargo));
  std::set<std::string> paths;
  for (const auto& [blob, sources] : mount_sources_) paths.insert(sources.begin(), sources.end());
  repository_ = TRY(core_.client->open_for_push(request_.reference, request_.credentials,
                                                {paths.begin(), paths.end()}, stop_));
  std::vector<Pushed> out;
  for (const auto& one : cargo) out.push_back(TRY(push_tag(one)));
  return out;
}

Result<> Push::push_layer(const LayerRecord& layer) {
  LayerLine line{progress_, layer.diff_id.short_hex(), layer.blob_size};
  StoredBlob reader{core_, layer.blob};
  const auto blob = spec::Descriptor::of(layer.blob_media_type, layer.blob, layer.blob_size);
  const auto sources = mount_sources_.find(layer.blob.str());
  static const std::vector<std::string> kNone;
  const auto done = TRY(repository_->push_blob(blob, sources == mount_sources_.end() ? kNone : sources->second,
                                               reader, stop_, &line));
  line.done(done);
  return {};
}

Result<> Push::push_layers(const std::vector<LayerRecord>& layers) {
  std::vector<const LayerRecord*> work;
  for (const auto& layer : layers) {
    if (pushed_.insert(layer.blob.str()).second) work.push_back(&layer);
  }
  // Docker's order on the screen.
  std::ranges::reverse(work);
  for (const auto* layer : work) progress_.step(layer->diff_id.short_hex(), "Preparing");
  const auto parallel = std::min(work.size(), static_cast<std::size_t>(core_.max_uploads.load()));
  for (std::size_t i = parallel; i < work.size(); ++i) {
    progress_.step(work[i]->diff_id.short_hex(), "Waiting");
  }
  std::stop_source failed;
  const std::stop_callback pass_on{stop_, [&] { failed.request_stop(); }};
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  std::optional<Error> failure;
  {
    std::vector<std::jthread> workers;
    for (std::size_t i = 0; i < parallel; ++i) {
      workers.emplace_back([&] {
        for (std::size_t at = next++; at < work.size() && !failed.stop_requested(); at = next++) {
          auto pushed = push_layer(*work[at]);
          if (pushed) continue;
          const std::scoped_lock lock{mutex};
          // The first one is the cause of the others.
          if (!failure) failure = std::move(pushed.error());
          failed.request_stop();
        }
      });
    }
  }
  if (failure) return *std::move(failure);
  return stop_.stop_requested() ? Result<>{base::unavailable("context canceled")} : Result<>{};
}

Result<> Push::push_config(const ImageRecord& image) {
  const Digest& id = image.id;
  if (!pushed_.insert(id.str()).second) return {};
  StoredBlob reader{core_, id};
  const auto size = TRY(core_.content.stat(id)).size;
  const auto blob = spec::Descriptor::of(spec::media::kOciConfig, id, size);
  TRY(repository_->push_blob(blob, {}, reader, stop_, nullptr));
  return {};
}

Result<Digest> Push::push_image(const Cargo::Part& part, const std::string& tag_or_digest) {
  TRY(push_layers(part.layers));
  TRY(push_config(part.image));
  const std::string manifest = TRY(core_.content.read(part.image.manifest, distribution::kManifestLimit));
  return repository_->push_manifest(tag_or_digest, part.image.media_type, manifest, stop_);
}

Result<> Push::push_attestation(const spec::Descriptor& manifest) {
  const std::string bytes = TRY(core_.content.read(manifest.digest(), distribution::kManifestLimit));
  for (const auto& blob : TRY(detail::blobs_of_manifest(bytes))) {
    if (!pushed_.insert(blob.digest_text).second) continue;
    StoredBlob reader{core_, blob.digest()};
    TRY(repository_->push_blob(blob, {}, reader, stop_, nullptr));
  }
  TRY(repository_->push_manifest(manifest.digest_text, manifest.media_type, bytes, stop_));
  return {};
}

/// What a user must know who expected all platforms to go; the form is docker's.
void Push::say_what_is_missing(const Cargo& cargo) {
  if (!cargo.partial) return;
  const auto selected = spec::Descriptor::of(cargo.image.media_type, cargo.image.manifest, 0);
  for (const auto& variant : cargo.partial->variants) {
    if (variant.descriptor.digest() != selected.digest()) continue;
    progress_.aux(codec::Json::object({{"manifestPushedInsteadOfIndex", true},
                                       {"originalIndex", codec::to_json(cargo.partial->descriptor())},
                                       {"selectedManifest", codec::to_json(variant.descriptor)}}));
  }
}

Result<Pushed> Push::push_tag(const Cargo& cargo) {
  Pushed out;
  out.tag = cargo.tag;
  out.image_id = cargo.image.id;
  if (cargo.index) {
    for (const auto& part : cargo.parts) TRY(push_image(part, part.image.manifest.str()));
    for (const auto& attestation : cargo.attestations) TRY(push_attestation(attestation));
    out.digest = TRY(repository_->push_manifest(cargo.tag, cargo.index->media_type, cargo.index->bytes, stop_));
    out.size = cargo.index->bytes.size();
  } else {
    out.digest = TRY(push_image(cargo.parts.front(), cargo.tag));
    out.size = TRY(core_.content.stat(cargo.image.manifest)).size;
  }
  {
    // It may have been removed meanwhile; then there is nothing to name.
    const std::scoped_lock lock{core_.names_mutex};
    if (TRY(core_.records.image(cargo.image.id))) {
      TRY(core_.records.set_reference({request_.reference.with_digest(out.digest), out.digest}, cargo.image.id));
    }
  }
  progress_.status(cargo.tag + ": digest: " + out.digest.str() + " size: " + std::to_string(out.size));
  say_what_is_missing(cargo);
  progress_.aux(codec::Json::object({{"Tag", cargo.tag}, {"Digest", out.digest.str()}, {"Size", out.size}}));
  return out;
}

}  // namespace

Result<std::vector<Pushed>> Store::push(const PushRequest& request, ProgressSink& sink, std::stop_token stop) {
  Progress progress{sink};
  return Push{*core_, request, progress, stop}.run();
}

}  // namespace image
