#include "image/detail/variants.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace image::detail {

using base::Digest;
using base::ErrorKind;
using base::Result;

namespace {

constexpr std::string_view kReferenceType = "vnd.docker.reference.type";
constexpr std::string_view kReferenceDigest = "vnd.docker.reference.digest";

std::string annotation(const spec::Descriptor& descriptor, std::string_view name) {
  const auto it = descriptor.annotations.find(std::string{name});
  return it == descriptor.annotations.end() ? std::string{} : it->second;
}

/// Source: BuildKit, docs/attestations/attestation-storage.md.
Digest attested_by(const spec::Descriptor& descriptor) {
  if (annotation(descriptor, kReferenceType) != "attestation-manifest") return {};
  return Digest::parse(annotation(descriptor, kReferenceDigest)).value_or(Digest{});
}

/// An image that came under another manifest: the same config and the same blobs, so that this manifest serves as
/// well. nullopt if it is none.
Result<std::optional<ImageRecord>> find_by_config(const Core& core, const spec::Descriptor& descriptor,
                                                  const std::vector<ImageRecord>& images) {
  using Answer = std::optional<ImageRecord>;
  const auto bytes = core.content.read(descriptor.digest(), distribution::kManifestLimit);
  if (!bytes) return Answer{};
  const auto manifest = spec::Manifest::parse(*bytes, descriptor.media_type);
  if (!manifest) return Answer{};
  const auto it = std::ranges::find(images, manifest->config.digest(), &ImageRecord::id);
  if (it == images.end()) return Answer{};
  const auto layers = TRY(core.records.layers_of(it->id));
  const bool same = std::ranges::equal(manifest->layers, layers, [](const auto& blob, const auto& layer) {
    return blob.digest() == layer.blob;
  });
  if (!same) return Answer{};
  ImageRecord image = *it;
  image.manifest = descriptor.digest();
  image.media_type = descriptor.media_type;
  return Answer{std::move(image)};
}

}  // namespace

bool is_attestation(const spec::Descriptor& descriptor) { return !attested_by(descriptor).empty(); }

std::vector<spec::Descriptor> attestations_of(const spec::Index& index, const Digest& manifest) {
  std::vector<spec::Descriptor> found;
  for (const auto& descriptor : index.manifests) {
    if (attested_by(descriptor) == manifest) found.push_back(descriptor);
  }
  return found;
}

Result<std::vector<spec::Descriptor>> blobs_of_manifest(const std::string& bytes) {
  const auto json = TRY(codec::Json::parse(bytes).context("manifest"));
  std::vector<spec::Descriptor> blobs;
  const auto add = [&](const codec::Json& entry) -> Result<> {
    auto descriptor = TRY(codec::from_json<spec::Descriptor>(entry).context("manifest"));
    TRY(Digest::parse(descriptor.digest_text).context("manifest"));
    if (descriptor.size < 0) return base::invalid("manifest: negative size");
    blobs.push_back(std::move(descriptor));
    return {};
  };
  TRY(add(json["config"]));
  for (const auto& layer : json["layers"].as_array()) TRY(add(layer));
  return blobs;
}

bool is_for(const Summary& image, const spec::Platform& wanted) {
  // An image need not name the variant that every machine of its architecture has.
  return image.os == wanted.os && image.architecture == wanted.architecture &&
         (wanted.variant.empty() || image.variant == wanted.variant ||
          (image.variant.empty() && wanted.variant == "v7" && wanted.architecture == "arm"));
}

bool KeptIndex::is_whole(const Core& core) const {
  return std::ranges::all_of(variants, [&](const Variant& variant) {
    if (variant.image) return true;
    const auto blobs = attestation_blobs(core, variant.descriptor);
    return variant.is_attestation() && blobs && !blobs->empty();
  });
}

const Variant* KeptIndex::find(const spec::Platform& platform) const {
  spec::Index here;
  for (const auto& variant : variants) {
    if (variant.image && !variant.is_attestation()) here.manifests.push_back(variant.descriptor);
  }
  const auto* best = here.select(platform);
  if (best != nullptr) {
    return &*std::ranges::find(variants, best->digest_text, [](const Variant& v) { return v.descriptor.digest_text; });
  }
  // An index need not say what its images are for.
  const auto it = std::ranges::find_if(variants, [&](const Variant& variant) {
    return variant.image && !variant.descriptor.platform && is_for(variant.image->summary, platform);
  });
  return it == variants.end() ? nullptr : &*it;
}

Result<std::optional<KeptIndex>> kept_index(const Core& core, const Digest& digest) {
  using Answer = std::optional<KeptIndex>;
  auto bytes = core.content.read(digest, distribution::kManifestLimit);
  if (!bytes) {
    // A damaged one is fsck's business: the images are there all the same.
    if (!bytes.failed_as(ErrorKind::NotFound)) base::log::warn("{}", bytes.error().message());
    return Answer{};
  }
  KeptIndex kept{.digest = digest, .bytes = *std::move(bytes), .media_type = {}, .variants = {}};
  kept.media_type = spec::manifest_media_type(kept.bytes, {});
  if (!spec::media::is_index(kept.media_type)) return Answer{};
  const auto images = TRY(core.records.images());
  for (auto& descriptor : TRY(spec::Index::parse(kept.bytes)).manifests) {
    Variant variant{.descriptor = std::move(descriptor), .image = {}, .attested = {}};
    variant.attested = attested_by(variant.descriptor);
    const auto it = std::ranges::find(images, variant.descriptor.digest(), &ImageRecord::manifest);
    if (it != images.end()) {
      variant.image = *it;
    } else if (!variant.is_attestation()) {
      variant.image = TRY(find_by_config(core, variant.descriptor, images));
    }
    kept.variants.push_back(std::move(variant));
  }
  return Answer{std::move(kept)};
}

Result<std::optional<KeptIndex>> index_of(const Core& core, const std::string& ref) {
  using Answer = std::optional<KeptIndex>;
  const auto name = spec::Reference::parse(ref);
  if (!name) return Answer{};
  const auto wanted = name->digest().empty() ? name->with_default_tag() : name->with_digest(name->digest());
  const auto record = TRY(core.records.reference(wanted.str()));
  if (!record) return Answer{};
  return kept_index(core, record->manifest);
}

Result<ImageRecord> find_variant(const Core& core, const std::string& ref, const std::string& platform) {
  auto image = TRY(find_image(core, ref));
  if (platform.empty()) return image;
  const auto wanted = TRY(spec::Platform::parse(platform));
  if (const auto index = TRY(index_of(core, ref))) {
    if (const Variant* found = index->find(wanted); found != nullptr) return *found->image;
  }
  if (is_for(image.summary, wanted)) return image;
  return base::not_found("image with reference " + ref + " was found but does not provide the specified platform (" +
                         wanted.str() + ")");
}

Result<std::set<Digest>> nameless_variants(const Core& core) {
  std::set<Digest> tagged;
  std::set<Digest> variants;
  std::set<Digest> seen;
  for (const auto& reference : TRY(core.records.references())) {
    if (reference.is_digest()) continue;
    tagged.insert(reference.image_id);
    if (!seen.insert(reference.manifest).second) continue;
    // Of most names: the manifest of their one image.
    const auto image = TRY(core.records.image(reference.image_id));
    if (image && image->manifest == reference.manifest) continue;
    const auto index = TRY(kept_index(core, reference.manifest));
    if (!index) continue;
    for (const auto& variant : index->variants) {
      if (variant.image) variants.insert(variant.image->id);
    }
  }
  std::erase_if(variants, [&](const Digest& id) { return tagged.contains(id); });
  return variants;
}

Result<std::vector<Digest>> attestation_blobs(const Core& core, const spec::Descriptor& manifest) {
  std::vector<Digest> blobs{manifest.digest()};
  const auto bytes = core.content.read(manifest.digest(), distribution::kManifestLimit);
  if (!bytes) return std::vector<Digest>{};
  for (const auto& blob : TRY(blobs_of_manifest(*bytes))) {
    if (!TRY(core.content.has(blob.digest()))) return std::vector<Digest>{};
    blobs.push_back(blob.digest());
  }
  return blobs;
}

Result<std::vector<Digest>> index_blobs(const Core& core) {
  std::vector<Digest> blobs;
  std::set<Digest> seen;
  for (const auto& reference : TRY(core.records.references())) {
    if (!seen.insert(reference.manifest).second) continue;
    const auto index = TRY(kept_index(core, reference.manifest));
    if (!index) continue;
    blobs.push_back(index->digest);
    for (const auto& variant : index->variants) {
      if (variant.image) blobs.push_back(variant.image->manifest);
      if (!variant.is_attestation()) continue;
      for (auto& blob : TRY(attestation_blobs(core, variant.descriptor))) blobs.push_back(std::move(blob));
    }
  }
  return blobs;
}

Result<bool> remove_variants(Core& core, const KeptIndex& index, const ImageUsers& users, Removed& removed) {
  bool any = false;
  for (const auto& variant : index.variants) {
    if (!variant.image) continue;
    const Digest& id = variant.image->id;
    if (!users.users_of(id).empty()) continue;
    const std::scoped_lock lock{core.names_mutex};
    if (!TRY(core.records.image(id)) || !TRY(core.records.references_of(id)).empty()) continue;
    if (TRY(nameless_variants(core)).contains(id)) continue;  // of another name
    TRY(core.records.remove_image(id));
    removed.items.push_back({{}, id.str()});
    any = true;
  }
  return any;
}

}  // namespace image::detail
