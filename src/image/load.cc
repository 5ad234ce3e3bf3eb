#include "image/detail/load.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "codec/sha256.h"
#include "image/detail/archive.h"
#include "image/detail/install.h"
#include "image/detail/layer_blob.h"
#include "image/detail/legacy_archive.h"
#include "image/detail/variants.h"
#include "image/store.h"

namespace image {
namespace detail {
namespace {

using base::Digest;
using base::Result;
using Loaded = Store::Loaded;

/// One entry of docker's manifest.json.
struct ArchiveImage {
  std::string config;
  std::vector<std::string> repo_tags, layers;
};
void describe(auto& v, ArchiveImage& i) {
  v("Config", i.config);
  v("RepoTags", i.repo_tags);
  v("Layers", i.layers);
}

/// containerd's annotation has the whole name. In OCI's own, tools write a whole name or a tag; a tag
/// alone names nothing here.
std::vector<spec::Reference> names_of(const spec::Descriptor& descriptor) {
  std::vector<spec::Reference> names;
  const auto add = [&](const std::string& text) {
    if (text.find_first_of(":/") == std::string::npos) return;
    auto name = spec::Reference::parse(text);
    if (name && name->digest().empty()) names.push_back(name->with_default_tag());
  };
  if (const auto it = descriptor.annotations.find(std::string{content::kImageNameAnnotation});
      it != descriptor.annotations.end()) {
    add(it->second);
  }
  if (const auto it = descriptor.annotations.find(std::string{content::kRefNameAnnotation});
      names.empty() && it != descriptor.annotations.end()) {
    add(it->second);
  }
  return names;
}

/// Layers that `Archive` has unpacked, or that come from the blob store once more.
class ArchiveMaker final : public LayerMaker {
 public:
  ArchiveMaker(Core& core, std::vector<ArchiveLayer*> layers) : core_{core}, layers_{std::move(layers)} {}

  Result<Prepared> make(const LayerJob& job, const std::stop_token& /*stop*/) override {
    const auto it = std::find_if(layers_.begin(), layers_.end(), [&](const ArchiveLayer* layer) {
      return layer->diff_id == job.diff_id && layer->staging.has_value();
    });
    if (it == layers_.end()) {
      const auto source = TRY(open_layer_blob(core_, job.blob.digest()));
      return unpack(core_, *source, job);
    }
    ArchiveLayer& layer = **it;
    LayerRecord record{job.chain_id,        job.diff_id,      job.parent,     job.blob.digest(),
                       job.blob.media_type, job.blob.bytes(), layer.tar_size, layer.size,
                       layer.recipe};
    Prepared prepared{*std::exchange(layer.staging, std::nullopt), std::move(record), layer.describes_root};
    return prepared;
  }
  void exists(const LayerJob&) override {}
  void planned(const LayerJob&) override {}
  void waits(const LayerJob&) override {}
  void finished(const LayerJob&) override {}

 private:
  Core& core_;
  std::vector<ArchiveLayer*> layers_;
};

class Loading {
 public:
  Loading(Core& core, Archive& archive, content::Lease& lease, Progress* results, const std::stop_token& stop,
          const std::vector<spec::Platform>& platforms)
      : core_{core}, archive_{archive}, lease_{lease}, results_{results}, stop_{stop}, platforms_{platforms} {}

  Result<std::vector<Loaded>> run();

 private:
  Result<Loaded> docker_image(const ArchiveImage& image);
  Result<std::vector<Loaded>> layout();
  Result<Loaded> layout_image(const spec::Descriptor& descriptor, int depth, bool named = true);
  Result<Loaded> layout_index(const spec::Descriptor& descriptor, const std::string& bytes, int depth);
  Result<> keep_attestation(const spec::Descriptor& descriptor);
  /// Whether manifest and config are here, and the image is one of those that were asked for.
  [[nodiscard]] bool is_here(const spec::Descriptor& descriptor) const;
  [[nodiscard]] bool is_wanted(const spec::ImageConfig& config) const;
  /// index.json names an index that is here: what `save` of several platforms writes.
  [[nodiscard]] bool has_index() const;
  Result<Loaded> install(NewImage image, const std::vector<ArchiveLayer*>& layers,
                         const std::vector<spec::Reference>& names, bool told = true);
  Result<> announce_rename(const spec::Reference& name, const Digest& id);
  /// The archive's own manifest of this image, where it is an OCI layout as well.
  Result<> find_manifest(NewImage& image, const Digest& id);
  Result<> tell(const Loaded& loaded);

  Core& core_;
  Archive& archive_;
  content::Lease& lease_;
  Progress* results_;
  const std::stop_token& stop_;
  const std::vector<spec::Platform>& platforms_;
};

Result<> Loading::announce_rename(const spec::Reference& name, const Digest& id) {
  const auto before = TRY(core_.records.reference(name.str()));
  if (before && before->image_id != id && results_ != nullptr) {
    results_->stream("The image " + name.familiar() + " already exists, renaming the old one with ID " +
                     before->image_id.str() + " to empty string\n");
  }
  return {};
}

Result<Loaded> Loading::install(NewImage image, const std::vector<ArchiveLayer*>& layers,
                                const std::vector<spec::Reference>& names, bool told) {
  if (!is_wanted(image.config)) {
    return base::not_found("no image for " + platforms_.front().str() + " in the archive: it is for " +
                           image.config.platform().str());
  }
  const auto diff_ids = image.config.diff_ids();
  std::vector<spec::Descriptor> blobs;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (i < diff_ids.size() && layers[i]->diff_id != diff_ids[i]) {
      return base::invalid("invalid diffID for layer " + std::to_string(i) + ": expected " +
                           base::quoted(diff_ids[i].str()) + ", got " +
                           base::quoted(layers[i]->diff_id.str()));
    }
    blobs.push_back(layers[i]->blob);
  }
  const auto jobs = TRY(layer_jobs(blobs, image.config));
  const Pin pin{core_.board, chain_texts(diff_ids)};
  ArchiveMaker maker{core_, layers};
  // One at a time: what `Archive` unpacked only has to be taken.
  TRY(install_layers(core_, jobs, maker, 1, stop_));
  for (const auto& name : names) {
    TRY(announce_rename(name, codec::sha256(image.config_bytes)));
    image.references.push_back({name, {}});
  }
  Loaded loaded;
  loaded.id = TRY(commit_image(core_, lease_, image));
  for (const auto& name : names) loaded.tags.push_back(name.familiar());
  if (told) TRY(tell(loaded));
  return loaded;
}

Result<> Loading::tell(const Loaded& loaded) {
  if (results_ == nullptr) return {};
  for (const auto& tag : loaded.tags) results_->stream("Loaded image: " + tag + "\n");
  if (loaded.tags.empty()) results_->stream("Loaded image ID: " + loaded.id.str() + "\n");
  return {};
}

Result<> Loading::find_manifest(NewImage& image, const Digest& id) {
  const std::string* text = archive_.document("index.json");
  if (text == nullptr) return {};
  const auto index = spec::Index::parse(*text);
  if (!index) return {};
  for (const auto& descriptor : index->manifests) {
    const std::string* bytes = archive_.blob(descriptor.digest());
    if (bytes == nullptr || codec::sha256(*bytes) != descriptor.digest()) continue;
    auto manifest = spec::Manifest::parse(*bytes, descriptor.media_type);
    if (!manifest || manifest->config.digest() != id) continue;
    image.manifest_bytes = *bytes;
    image.manifest_media_type = descriptor.media_type;
    image.manifest = *std::move(manifest);
    return {};
  }
  return {};
}

Result<Loaded> Loading::docker_image(const ArchiveImage& entry) {
  const std::string* config = archive_.document(entry.config);
  if (config == nullptr) return base::invalid("invalid archive: no config " + base::quoted(entry.config));
  NewImage image;
  image.config_bytes = *config;
  image.config = TRY(spec::ImageConfig::parse(*config));
  TRY(find_manifest(image, codec::sha256(*config)));
  std::vector<ArchiveLayer*> layers;
  for (const auto& path : entry.layers) {
    ArchiveLayer* layer = archive_.layer(path);
    if (layer == nullptr) return base::invalid("invalid archive: no layer " + base::quoted(path));
    layers.push_back(layer);
  }
  std::vector<spec::Reference> names;
  for (const auto& tag : entry.repo_tags) {
    const auto name = TRY(spec::Reference::parse(tag).context("invalid tag " + base::quoted(tag)));
    if (name.tag().empty()) return base::invalid("invalid tag " + base::quoted(tag));
    names.push_back(name);
  }
  return install(std::move(image), layers, names);
}

bool Loading::is_here(const spec::Descriptor& descriptor) const {
  const std::string* bytes = archive_.blob(descriptor.digest());
  if (bytes == nullptr) return false;
  if (spec::media::is_index(descriptor.media_type)) return true;
  const auto manifest = spec::Manifest::parse(*bytes, descriptor.media_type);
  const std::string* config = manifest ? archive_.blob(manifest->config.digest()) : nullptr;
  if (config == nullptr) return false;
  const auto parsed = spec::ImageConfig::parse(*config);
  return platforms_.empty() || (parsed && is_wanted(*parsed));
}

bool Loading::is_wanted(const spec::ImageConfig& config) const {
  const Summary summary{.created = {}, .architecture = config.architecture, .os = config.os,
                        .variant = config.variant, .parent = {}, .labels = {}};
  return platforms_.empty() ||
         std::ranges::any_of(platforms_, [&](const auto& platform) { return is_for(summary, platform); });
}

bool Loading::has_index() const {
  const std::string* text = archive_.document("index.json");
  if (text == nullptr) return false;
  const auto index = spec::Index::parse(*text);
  return index && std::ranges::any_of(index->manifests, [&](const auto& descriptor) {
           return spec::media::is_index(descriptor.media_type) && archive_.blob(descriptor.digest()) != nullptr &&
                  (archive_.document("manifest.json") == nullptr || !names_of(descriptor).empty());
         });
}

Result<> Loading::keep_attestation(const spec::Descriptor& descriptor) {
  std::vector<spec::Descriptor> blobs{descriptor};
  const std::string* manifest = archive_.blob(descriptor.digest());
  if (manifest == nullptr) return {};
  for (auto& blob : TRY(blobs_of_manifest(*manifest))) blobs.push_back(std::move(blob));
  for (const auto& blob : blobs) {
    const std::string* bytes = archive_.blob(blob.digest());
    if (bytes == nullptr) return {};
    if (codec::sha256(*bytes) != blob.digest()) return base::invalid("digest mismatch: blob " + blob.digest_text);
    lease_.add(blob.digest());
    TRY(core_.content.write_blob(*bytes));
  }
  return {};
}

/// All images of it that are in the archive; its names stand for that of this machine, where there is one.
Result<Loaded> Loading::layout_index(const spec::Descriptor& descriptor, const std::string& bytes, int depth) {
  const auto index = TRY(spec::Index::parse(bytes));
  spec::Index here;
  for (const auto& manifest : index.manifests) {
    const bool image = spec::media::is_manifest(manifest.media_type) || spec::media::is_index(manifest.media_type);
    if (image && is_here(manifest) && !is_attestation(manifest)) here.manifests.push_back(manifest);
  }
  if (here.manifests.empty()) {
    const auto wanted = platforms_.empty() ? spec::Platform::host() : platforms_.front();
    return base::not_found("no image for " + wanted.str() + " in the archive");
  }
  const spec::Descriptor* host = here.select(spec::Platform::host());
  const spec::Descriptor first = host == nullptr ? here.manifests.front() : *host;
  for (const auto& manifest : here.manifests) {
    lease_.add(manifest.digest());
    TRY(core_.content.write_blob(*archive_.blob(manifest.digest())));
    if (manifest.digest() != first.digest()) TRY(layout_image(manifest, depth + 1, false));
  }
  for (const auto& manifest : index.manifests) {
    if (is_attestation(manifest)) TRY(keep_attestation(manifest));
  }
  lease_.add(descriptor.digest());
  TRY(core_.content.write_blob(bytes));
  auto loaded = TRY(layout_image(first, depth + 1, false));
  for (const auto& name : names_of(descriptor)) {
    TRY(announce_rename(name, loaded.id));
    TRY(core_.records.set_reference({name, descriptor.digest()}, loaded.id));
    loaded.tags.push_back(name.familiar());
  }
  TRY(write_index(core_));
  TRY(tell(loaded));
  return loaded;
}

Result<Loaded> Loading::layout_image(const spec::Descriptor& descriptor, int depth, bool named) {
  constexpr int kDeepest = 4;
  const Digest digest = descriptor.digest();
  const std::string* bytes = archive_.blob(digest);
  if (bytes == nullptr) return base::invalid("invalid archive: no blob " + digest.str());
  if (codec::sha256(*bytes) != digest) return base::invalid("digest mismatch: blob " + digest.str());
  if (depth > kDeepest) return base::invalid("invalid archive: indexes in indexes in indexes");
  if (spec::media::is_index(descriptor.media_type)) return layout_index(descriptor, *bytes, depth);
  NewImage image;
  image.manifest_bytes = *bytes;
  image.manifest = TRY(spec::Manifest::parse(*bytes, descriptor.media_type));
  image.manifest_media_type = descriptor.media_type;
  const Digest id = image.manifest.config.digest();
  const std::string* config = archive_.blob(id);
  if (config == nullptr || codec::sha256(*config) != id)
    return base::invalid("invalid archive: no config " + id.str());
  image.config_bytes = *config;
  image.config = TRY(spec::ImageConfig::parse(*config));
  std::vector<ArchiveLayer*> layers;
  for (const auto& blob : image.manifest.layers) {
    ArchiveLayer* layer = archive_.layer(blob.digest());
    if (layer == nullptr) return base::invalid("invalid archive: no layer " + blob.digest_text);
    layer->blob.media_type = blob.media_type;
    layers.push_back(layer);
  }
  return install(std::move(image), layers, named ? names_of(descriptor) : std::vector<spec::Reference>{}, named);
}

Result<std::vector<Loaded>> Loading::layout() {
  const auto index = TRY(spec::Index::parse(*archive_.document("index.json")));
  std::vector<Loaded> all;
  for (const auto& descriptor : index.manifests) {
    // Beside images a layout may have signatures, attestations and the like.
    if (!spec::media::is_manifest(descriptor.media_type) && !spec::media::is_index(descriptor.media_type))
      continue;
    Loaded loaded = TRY(layout_image(descriptor, 0));
    // The same image under several names is listed once per name.
    const auto same =
        std::find_if(all.begin(), all.end(), [&](const auto& other) { return other.id == loaded.id; });
    if (same == all.end()) {
      all.push_back(std::move(loaded));
    } else {
      same->tags.insert(same->tags.end(), loaded.tags.begin(), loaded.tags.end());
    }
  }
  if (all.empty()) return base::invalid("invalid archive: index.json names no image");
  return all;
}

Result<std::vector<Loaded>> Loading::run() {
  if (has_index()) return layout();
  if (const std::string* text = archive_.document("manifest.json")) {
    const auto images = TRY(codec::from_json_text<std::vector<ArchiveImage>>(*text).context("manifest.json"));
    std::vector<Loaded> all;
    for (const auto& image : images) all.push_back(TRY(docker_image(image)));
    if (all.empty()) return base::invalid("invalid archive: manifest.json names no image");
    return all;
  }
  if (archive_.document("index.json") != nullptr) return layout();
  if (const std::string* text = archive_.document("repositories")) {
    std::vector<Loaded> all;
    for (auto& old : TRY(read_legacy(archive_, *text))) {
      NewImage image;
      image.config_bytes = old.config.dump();
      image.config = std::move(old.config);
      all.push_back(TRY(install(std::move(image), old.layers, old.names)));
    }
    return all;
  }
  return base::invalid(
      "invalid archive: does not contain a manifest.json, an index.json or a repositories file");
}

Result<> remove_leftovers(Core& core) {
  TRY(remove_unused(core));
  TRY(remove_unused_blobs(core, std::chrono::seconds{0}));
  return {};
}

}  // namespace

Result<std::vector<Loaded>> load_archive(Core& core, base::ByteSource& stream, Progress* progress,
                                         Progress* results, const std::stop_token& stop,
                                         const std::vector<spec::Platform>& platforms) {
  const auto load = [&]() -> Result<std::vector<Loaded>> {
    auto lease = core.content.lease();
    auto archive = TRY(Archive::read(core, stream, lease, progress, stop));
    return Loading{core, archive, lease, results, stop, platforms}.run();
  };
  auto loaded = load();
  // Blobs of a failed load, and of layers that are kept with another compression already.
  if (auto cleaned = remove_leftovers(core); !cleaned && !loaded)
    std::move(loaded.error()).and_also(cleaned.error());
  if (loaded && core.dropper) core.dropper->wake();
  return loaded;
}

}  // namespace detail

base::Result<std::vector<Store::Loaded>> Store::load(base::ByteSource& archive, bool quiet,
                                                     ProgressSink& sink, std::stop_token stop,
                                                     const std::vector<std::string>& platforms) {
  detail::Progress progress{sink};
  std::vector<spec::Platform> wanted;
  for (const auto& platform : platforms) wanted.push_back(TRY(spec::Platform::parse(platform)));
  return detail::load_archive(*core_, archive, quiet ? nullptr : &progress, &progress, stop, wanted);
}

}  // namespace image
