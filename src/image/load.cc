#include "image/detail/load.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "codec/sha256.h"
#include "image/detail/archive.h"
#include "image/detail/install.h"
#include "image/detail/layer_blob.h"
#include "image/detail/legacy_archive.h"
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
  Loading(Core& core, Archive& archive, content::Lease& lease, Progress* results, const std::stop_token& stop)
      : core_{core}, archive_{archive}, lease_{lease}, results_{results}, stop_{stop} {}

  Result<std::vector<Loaded>> run();

 private:
  Result<Loaded> docker_image(const ArchiveImage& image);
  Result<std::vector<Loaded>> layout();
  Result<Loaded> layout_image(const spec::Descriptor& descriptor, int depth);
  Result<Loaded> install(NewImage image, const std::vector<ArchiveLayer*>& layers,
                         const std::vector<spec::Reference>& names);
  /// The archive's own manifest of this image, where it is an OCI layout as well.
  Result<> find_manifest(NewImage& image, const Digest& id);
  Result<> tell(const Loaded& loaded);

  Core& core_;
  Archive& archive_;
  content::Lease& lease_;
  Progress* results_;
  const std::stop_token& stop_;
};

Result<Loaded> Loading::install(NewImage image, const std::vector<ArchiveLayer*>& layers,
                                const std::vector<spec::Reference>& names) {
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
    const auto before = TRY(core_.records.reference(name.str()));
    const Digest id = codec::sha256(image.config_bytes);
    if (before && before->image_id != id && results_ != nullptr) {
      results_->stream("The image " + name.familiar() + " already exists, renaming the old one with ID " +
                       before->image_id.str() + " to empty string\n");
    }
    image.references.push_back({name, {}});
  }
  Loaded loaded;
  loaded.id = TRY(commit_image(core_, lease_, image));
  for (const auto& name : names) loaded.tags.push_back(name.familiar());
  TRY(tell(loaded));
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

Result<Loaded> Loading::layout_image(const spec::Descriptor& descriptor, int depth) {
  constexpr int kDeepest = 4;
  const Digest digest = descriptor.digest();
  const std::string* bytes = archive_.blob(digest);
  if (bytes == nullptr) return base::invalid("invalid archive: no blob " + digest.str());
  if (codec::sha256(*bytes) != digest) return base::invalid("digest mismatch: blob " + digest.str());
  if (spec::media::is_index(descriptor.media_type)) {
    const auto index = TRY(spec::Index::parse(*bytes));
    const auto platform = spec::Platform::host();
    const spec::Descriptor* chosen = index.select(platform);
    if (chosen == nullptr || depth == kDeepest) {
      return base::not_found("no image for " + platform.str() + " in the archive");
    }
    spec::Descriptor inner = *chosen;
    inner.annotations = descriptor.annotations;
    return layout_image(inner, depth + 1);
  }
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
  return install(std::move(image), layers, names_of(descriptor));
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
                                         Progress* results, const std::stop_token& stop) {
  const auto load = [&]() -> Result<std::vector<Loaded>> {
    auto lease = core.content.lease();
    auto archive = TRY(Archive::read(core, stream, lease, progress, stop));
    return Loading{core, archive, lease, results, stop}.run();
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
                                                     ProgressSink& sink, std::stop_token stop) {
  detail::Progress progress{sink};
  return detail::load_archive(*core_, archive, quiet ? nullptr : &progress, &progress, stop);
}

}  // namespace image
