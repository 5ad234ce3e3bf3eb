#pragma once
/// One name for several platforms.
///
/// A registry or an archive may have an index for a name. It is kept as a blob, as it came, and with it the
/// attestations of the images that are here. The name's record holds the index's digest, and the id of one of its
/// images: that for this machine where it is here. The others have no name of their own; the index leads to them, by
/// the digests of their manifests.

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "image/detail/core.h"

namespace image::detail {

/// An entry of an index.
struct Variant {
  spec::Descriptor descriptor;
  /// Where it is here; its manifest is the index's, though the image may be recorded with another one of the same
  /// blobs.
  std::optional<ImageRecord> image;
  base::Digest attested;             ///< of an attestation: the manifest that it is about

  [[nodiscard]] bool is_attestation() const { return !attested.empty(); }
};

struct KeptIndex {
  base::Digest digest;
  std::string bytes, media_type;
  std::vector<Variant> variants;

  [[nodiscard]] spec::Descriptor descriptor() const {
    return spec::Descriptor::of(media_type, digest, bytes.size());
  }
  /// Every image of it is here, every attestation too.
  [[nodiscard]] bool is_whole(const Core& core) const;
  /// The image for `platform` that runs best on it, if one is here; nullptr if none.
  [[nodiscard]] const Variant* find(const spec::Platform& platform) const;
};

/// nullopt where no index of this digest is kept.
base::Result<std::optional<KeptIndex>> kept_index(const Core& core, const base::Digest& digest);
/// Of a name's record; nullopt where it names a manifest.
base::Result<std::optional<KeptIndex>> index_of(const Core& core, const std::string& ref);

/// As find_image, but of the images that the name stands for, that for `platform`; "" for any. `found` is what
/// is there under the name. Errors: NotFound "… does not provide the specified platform (linux/arm64)".
base::Result<ImageRecord> find_variant(const Core& core, const std::string& ref, const std::string& platform);
/// Whether the image is what a user means who asks for `wanted`.
[[nodiscard]] bool is_for(const Summary& image, const spec::Platform& wanted);

/// The images that a tag's index leads to and that have no tag of their own: they are no leftovers.
base::Result<std::set<base::Digest>> nameless_variants(const Core& core);

[[nodiscard]] bool is_attestation(const spec::Descriptor& descriptor);
/// The entries of an index that attest one of its manifests.
[[nodiscard]] std::vector<spec::Descriptor> attestations_of(const spec::Index& index, const base::Digest& manifest);
/// Config and layers of a manifest that need be no image's. Errors: InvalidArgument.
base::Result<std::vector<spec::Descriptor>> blobs_of_manifest(const std::string& bytes);
/// The blobs of an attestation that are here, its manifest first; empty unless all are.
base::Result<std::vector<base::Digest>> attestation_blobs(const Core& core, const spec::Descriptor& manifest);
/// Kept indexes of all names, and the attestations below them: what no record of an image names.
base::Result<std::vector<base::Digest>> index_blobs(const Core& core);

/// Removes the images that only this index led to, after a name of it was removed. What a container was made of
/// stays. Adds to `removed`.
base::Result<bool> remove_variants(Core& core, const KeptIndex& index, const ImageUsers& users, Removed& removed);

}  // namespace image::detail
