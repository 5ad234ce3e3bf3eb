#include <map>
#include <utility>

#include "base/strings.h"
#include "codec/tar.h"
#include "image/detail/core.h"
#include "image/detail/layer_blob.h"
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
};

std::string blob_path(const Digest& digest) { return "blobs/sha256/" + std::string{digest.hex()}; }

class Selection {
 public:
  explicit Selection(const Core& core) : core_{core} {}

  Result<> add(const std::string& ref) {
    if (const auto name = spec::Reference::parse(ref); name && name->is_name_only()) {
      if (TRY(add_all_tags(*name))) return {};
    }
    auto image = TRY(detail::find_image(core_, ref));
    const auto name = spec::Reference::parse(ref);
    // A name that does not lead to the image was the beginning of an id.
    const bool by_name = name && TRY(core_.records.reference(name->with_default_tag().str())).has_value();
    add(std::move(image),
        by_name && name->digest().empty() ? std::optional{name->with_default_tag()} : std::nullopt);
    return {};
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
      add(*std::move(image), candidate);
      found = true;
    }
    return found;
  }
  void add(detail::ImageRecord image, std::optional<spec::Reference> name) {
    Wanted* wanted = nullptr;
    for (auto& known : images_) {
      if (known.record.id == image.id) wanted = &known;
    }
    if (wanted == nullptr) wanted = &images_.emplace_back(Wanted{std::move(image), {}});
    if (!name) return;
    for (const auto& known : wanted->names) {
      if (known == *name) return;
    }
    wanted->names.push_back(*std::move(name));
  }

  const Core& core_;
  std::vector<Wanted> images_;
};

/// Equal images make equal archives: no time, no owner, blobs sorted by digest.
class ArchiveWriter {
 public:
  ArchiveWriter(Core& core, base::ByteSink& out) : core_{core}, tar_{out} {}

  Result<> write(const std::vector<Wanted>& images);

 private:
  Result<> add_image(const Wanted& image);
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

Result<> ArchiveWriter::add_image(const Wanted& image) {
  const auto& record = image.record;
  const std::string bytes = TRY(core_.content.read(record.manifest));
  const auto manifest = TRY(spec::Manifest::parse(bytes, record.media_type));
  blobs_.emplace(record.manifest, bytes.size());
  blobs_.emplace(record.id, manifest.config.bytes());
  codec::Json layers{codec::Json::Array{}};
  for (const auto& layer : manifest.layers) {
    blobs_.emplace(layer.digest(), layer.bytes());
    layers.push(blob_path(layer.digest()));
  }
  codec::Json tags{codec::Json::Array{}};
  auto descriptor = spec::Descriptor::of(record.media_type, record.manifest, bytes.size());
  descriptor.platform =
      spec::Platform{record.summary.architecture, record.summary.os, {}, record.summary.variant, {}};
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

Result<> Store::save(const std::vector<std::string>& refs, base::ByteSink& archive) const {
  Selection selection{*core_};
  for (const auto& ref : refs) TRY(selection.add(ref));
  if (selection.images().empty()) return base::invalid("no images to save");
  // The blobs stay while they are written, whatever is removed meanwhile.
  auto lease = core_->content.lease();
  std::vector<std::string> chain_ids;
  for (const auto& image : selection.images()) {
    lease.add(image.record.id);
    lease.add(image.record.manifest);
    for (const auto& layer : TRY(core_->records.layers_of(image.record.id))) {
      lease.add(layer.blob);
      if (!layer.recipe.empty()) lease.add(layer.recipe);
      chain_ids.push_back(layer.chain_id);
    }
  }
  const detail::Pin pin{core_->board, std::move(chain_ids)};
  return ArchiveWriter{*core_, archive}.write(selection.images());
}

}  // namespace image
