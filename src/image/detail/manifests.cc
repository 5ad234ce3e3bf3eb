#include "image/detail/manifests.h"

#include <utility>

namespace image::detail {

using base::Result;
using spec::api::ManifestSummary;

namespace {

Result<> add_image(const Core& core, const ImageRecord& image, const ImageUsers* users, ManifestSummary& summary) {
  summary.kind = "image";
  summary.available = true;
  auto& data = summary.image.emplace();
  data.platform = summary.descriptor.platform.value_or(
      spec::Platform{image.summary.architecture, image.summary.os, {}, image.summary.variant, {}});
  data.size.unpacked = static_cast<std::int64_t>(image.size);
  if (users != nullptr) {
    for (const auto& user : users->users_of(image.id)) data.containers.push_back(user.container_id);
  }
  std::uint64_t content = TRY(core.content.stat(image.manifest)).size + TRY(core.content.stat(image.id)).size;
  for (const auto& layer : TRY(core.records.layers_of(image.id))) content += layer.blob_size;
  summary.size.content = static_cast<std::int64_t>(content);
  summary.size.total = summary.size.content + data.size.unpacked;
  return {};
}

Result<> add_attestation(const Core& core, const Variant& variant, ManifestSummary& summary) {
  summary.kind = "attestation";
  summary.attestation.emplace().subject = variant.attested.str();
  std::uint64_t content = 0;
  const auto blobs = TRY(attestation_blobs(core, variant.descriptor));
  for (const auto& blob : blobs) content += TRY(core.content.stat(blob)).size;
  summary.available = !blobs.empty();
  summary.size.content = summary.size.total = static_cast<std::int64_t>(content);
  return {};
}

}  // namespace

Result<spec::Descriptor> target_of(const Core& core, const ImageRecord& image, const std::optional<KeptIndex>& index) {
  if (index) return index->descriptor();
  return spec::Descriptor::of(image.media_type, image.manifest, TRY(core.content.stat(image.manifest)).size);
}

Result<std::vector<ManifestSummary>> manifest_summaries(const Core& core, const ImageRecord& image,
                                                        const std::optional<KeptIndex>& index,
                                                        const ImageUsers* users) {
  std::vector<ManifestSummary> summaries;
  std::vector<Variant> variants;
  if (index) {
    variants = index->variants;
  } else {
    variants.push_back({.descriptor = TRY(target_of(core, image, index)), .image = image, .attested = {}});
  }
  for (const auto& variant : variants) {
    ManifestSummary summary;
    summary.id = variant.descriptor.digest_text;
    summary.descriptor = variant.descriptor;
    if (variant.image) {
      TRY(add_image(core, *variant.image, users, summary));
    } else if (variant.is_attestation()) {
      TRY(add_attestation(core, variant, summary));
    } else {
      summary.kind = variant.descriptor.platform ? "image" : "unknown";
      if (variant.descriptor.platform) summary.image.emplace().platform = *variant.descriptor.platform;
    }
    summaries.push_back(std::move(summary));
  }
  return summaries;
}

}  // namespace image::detail
