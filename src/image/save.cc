#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/strings.h"
#include "codec/tar.h"
#include "image/detail/layer_blob.h"
#include "image/detail/manifests.h"
#include "image/store.h"

namespace image {
namespace {

using base::Digest;
using base::Result;
using detail::Core;

/// An image and the names that it is saved under.
struct Wanted {
  detail::ImageRecord record;
  std::vector<spec::Reference> names;
  std::optional<detail::KeptIndex> index;  ///< with the images that are to be saved
};

std::string blob_path(const Digest& digest) { return "blobs/sha256/" + std::string{digest.hex()}; }

class Selection {
 public:
  Selection(const Core& core, std::vector<spec::Platform> platforms)
      : core_{core}, platforms_{std::move(platforms)} {}

  Result<> add(const std::string& ref) {
    if (const auto name = spec::Reference::parse(ref); name && name->is_name_only()) {
      if (TRY(add_all_tags(*name))) return {};
    }
    auto image = TRY(detail::find_image(core_, ref));
    const auto name = spec::Reference::parse(ref);
    // A name that does not lead to the image was the beginning of an id.
    const bool by_name = name && TRY(core_.records.reference(name->with_default_tag().str())).has_value();
    return add(std::move(image), TRY(detail::index_of(core_, ref)),
               by_name && name->digest().empty() ? std::optional{name->with_default_tag()} : std::nullopt, ref);
  }
  [[nodiscard]] const std::vector<Wanted>& images() const { return images_; }

 private:
  Result<bool> add_all_tags(const spec::Reference& name) {
    bool found = false;
    for (const auto& record : TRY(core_.records.references())) {
      const auto candidate = record.parsed();
      if (record.is_digest() || candidate.name() != name.name()) continue;
      auto image = TRY(core_.records.image(record.image_id));
      if (!image) continue;
      TRY(add(*std::move(image), TRY(detail::kept_index(core_, record.manifest)), candidate, candidate.familiar()));
      found = true;
    }
    return found;
  }
  /// Leaves in the index only what was asked for. What is not there is an error; an index with one image left
  /// is that image.
  Result<> choose(detail::ImageRecord& image, std::optional<detail::KeptIndex>& index, const std::string& ref) const {
    if (platforms_.empty()) {
      if (index && std::ranges::count_if(index->variants, [](const auto& v) { return v.image.has_value(); }) == 0) {
        index.reset();
      }
      return {};
    }
    std::set<Digest> kept;
    for (const auto& platform : platforms_) {
      const auto* variant = index ? index->find(platform) : nullptr;
      if (variant == nullptr && !detail::is_for(image.summary, platform)) {
        return base::not_found("image with reference " + ref + " was found but does not provide the specified platform (" +
                               platform.str() + ")");
      }
      kept.insert(variant != nullptr ? variant->image->id : image.id);
      if (variant != nullptr && kept.size() == 1) image = *variant->image;
    }
    if (!index) return {};
    if (kept.size() == 1) {
      index.reset();
      return {};
    }
    for (auto& variant : index->variants) {
      if (variant.image && !kept.contains(variant.image->id)) variant.image.reset();
    }
    return {};
  }

  Result<> add(detail::ImageRecord image, std::optional<detail::KeptIndex> index, std::optional<spec::Reference> name,
               const std::string& ref) {
    TRY(choose(image, index, ref));
    Wanted* wanted = nullptr;
    for (auto& known : images_) {
      if (known.record.id == image.id) wanted = &known;
    }
    if (wanted == nullptr) wanted = &images_.emplace_back(Wanted{std::move(image), {}, std::move(index)});
    if (!name || std::ranges::find(wanted->names, *name) != wanted->names.end()) return {};
    wanted->names.push_back(*std::move(name));
    return {};
  }

  const Core& core_;
  const std::vector<spec::Platform> platforms_;
  std::vector<Wanted> images_;
};

/// Equal images make equal archives: no time, no owner, blobs sorted by digest.
class ArchiveWriter {
 public:
  ArchiveWriter(Core& core, base::ByteSink& out) : core_{core}, tar_{out} {}

  Result<> write(const std::vector<Wanted>& images);

 private:
  Result<> add_image(const Wanted& image);
  /// The blobs of one image; its layers' paths.
  Result<codec::Json> add_blobs(const detail::ImageRecord& image);
  Result<spec::Descriptor> add_target(const Wanted& image);
  Result<> document(const std::string& path, const std::string& bytes);
  Result<> folder(const std::string& path);
  Result<> blob(const Digest& digest, std::uint64_t size);

  Core& core_;
  codec::TarWriter tar_;
  spec::Index index_;
  codec::Json manifests_{codec::Json::Array{}};
  std::map<Digest, std::uint64_t> blobs_;  ///< with their sizes
};

Result<> ArchiveWriter::document(const std::string& path, const std::string& bytes) {
  codec::TarEntry entry;
  entry.path = path;
  entry.mode = 0644;
  entry.size = bytes.size();
  TRY(tar_.add(entry));
  return tar_.write(bytes);
}

Result<> ArchiveWriter::folder(const std::string& path) {
  codec::TarEntry entry;
  entry.path = path;
  entry.type = codec::TarType::Directory;
  entry.mode = 0755;
  return tar_.add(entry);
}

Result<> ArchiveWriter::blob(const Digest& digest, std::uint64_t size) {
  codec::TarEntry entry;
  entry.path = blob_path(digest);
  entry.mode = 0444;
  entry.size = size;
  TRY(tar_.add(entry));
  const auto source = TRY(detail::open_layer_blob(core_, digest));
  std::string buffer(std::size_t{256} << 10U, '\0');
  for (;;) {
    const std::size_t count = TRY(source->read(buffer));
    if (count == 0) return {};
    TRY(tar_.write({buffer.data(), count}));
  }
}

Result<codec::Json> ArchiveWriter::add_blobs(const detail::ImageRecord& image) {
  const std::string bytes = TRY(core_.content.read(image.manifest));
  const auto manifest = TRY(spec::Manifest::parse(bytes, image.media_type));
  blobs_.emplace(image.manifest, bytes.size());
  blobs_.emplace(image.id, manifest.config.bytes());
  codec::Json layers{codec::Json::Array{}};
  for (const auto& layer : manifest.layers) {
    blobs_.emplace(layer.digest(), layer.bytes());
    layers.push(blob_path(layer.digest()));
  }
  return layers;
}

/// What the archive's index.json leads to: the image's manifest, or the index with all that is here of it.
Result<spec::Descriptor> ArchiveWriter::add_target(const Wanted& image) {
  if (!image.index) {
    auto target = TRY(detail::target_of(core_, image.record, image.index));
    const auto& is = image.record.summary;
    target.platform = spec::Platform{is.architecture, is.os, {}, is.variant, {}};
    return target;
  }
  blobs_.emplace(image.index->digest, image.index->bytes.size());
  for (const auto& variant : image.index->variants) {
    if (variant.image) TRY(add_blobs(*variant.image));
    if (!variant.is_attestation()) continue;
    for (const auto& blob : TRY(detail::attestation_blobs(core_, variant.descriptor))) {
      blobs_.emplace(blob, TRY(core_.content.stat(blob)).size);
    }
  }
  return image.index->descriptor();
}

Result<> ArchiveWriter::add_image(const Wanted& image) {
  const auto& record = image.record;
  codec::Json layers = TRY(add_blobs(record));
  codec::Json tags{codec::Json::Array{}};
  auto descriptor = TRY(add_target(image));
  for (const auto& name : image.names) {
    tags.push(name.familiar());
    auto named = descriptor;
    named.annotations[std::string{content::kImageNameAnnotation}] = name.str();
    // Whole names, as skopeo and podman write them: two repositories may use one tag.
    named.annotations[std::string{content::kRefNameAnnotation}] = name.str();
    index_.manifests.push_back(std::move(named));
  }
  if (image.names.empty()) index_.manifests.push_back(std::move(descriptor));
  manifests_.push(codec::Json::object({{"Config", blob_path(record.id)},
                                       {"RepoTags", image.names.empty() ? codec::Json{} : std::move(tags)},
                                       {"Layers", std::move(layers)}}));
  return {};
}

Result<> ArchiveWriter::write(const std::vector<Wanted>& images) {
  index_.media_type = spec::media::kOciIndex;
  for (const auto& image : images) TRY(add_image(image));
  // The documents first: who reads the stream can then decide on each blob when it comes.
  TRY(document("oci-layout", R"({"imageLayoutVersion":"1.0.0"})"));
  TRY(document("index.json", index_.dump()));
  TRY(document("manifest.json", manifests_.dump()));
  TRY(folder("blobs/"));
  TRY(folder("blobs/sha256/"));
  for (const auto& [digest, size] : blobs_) TRY(blob(digest, size));
  return tar_.finish();
}

}  // namespace

Result<> Store::save(const std::vector<std::string>& refs, base::ByteSink& archive,
                     const std::vector<std::string>& platforms) const {
  std::vector<spec::Platform> wanted;
  for (const auto& platform : platforms) wanted.push_back(TRY(spec::Platform::parse(platform)));
  Selection selection{*core_, std::move(wanted)};
  for (const auto& ref : refs) TRY(selection.add(ref));
  if (selection.images().empty()) return base::invalid("no images to save");
  // The blobs stay while they are written, whatever is removed meanwhile.
  auto lease = core_->content.lease();
  std::vector<std::string> chain_ids;
  const auto keep = [&](const detail::ImageRecord& image) -> Result<> {
    lease.add(image.id);
    lease.add(image.manifest);
    for (const auto& layer : TRY(core_->records.layers_of(image.id))) {
      lease.add(layer.blob);
      if (!layer.recipe.empty()) lease.add(layer.recipe);
      chain_ids.push_back(layer.chain_id);
    }
    return {};
  };
  for (const auto& image : selection.images()) {
    TRY(keep(image.record));
    if (!image.index) continue;
    lease.add(image.index->digest);
    for (const auto& variant : image.index->variants) {
      if (variant.image) TRY(keep(*variant.image));
      if (!variant.is_attestation()) continue;
      for (const auto& blob : TRY(detail::attestation_blobs(*core_, variant.descriptor))) lease.add(blob);
    }
  }
  const detail::Pin pin{core_->board, std::move(chain_ids)};
  return ArchiveWriter{*core_, archive}.write(selection.images());
}

}  // namespace image
