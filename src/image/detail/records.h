#pragma once
/// The image module's rows: images, image_refs, layers, image_layers (drawn in state/schema.cc).
/// Threads: any.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/function_ref.h"
#include "base/result.h"
#include "base/time.h"
#include "codec/describe.h"
#include "spec/reference.h"
#include "state/database.h"

namespace image::detail {

struct LayerRecord {
  std::string chain_id;
  base::Digest diff_id;
  std::string parent;  ///< chain id, "" for the lowest
  base::Digest blob;
  std::string blob_media_type;
  std::uint64_t blob_size = 0;
  std::uint64_t tar_size = 0;  ///< uncompressed
  std::uint64_t size = 0;      ///< bytes of its files
  /// The blob that says how to make `blob` again from the unpacked layer; empty: it can't be.
  base::Digest recipe;
};

/// What `images` shows without opening a blob.
struct Summary {
  std::string created;
  std::string architecture, os, variant, parent;
  std::map<std::string, std::string> labels;
};
void describe(auto& v, Summary& s) {
  v("created", s.created);
  v.opt("architecture", s.architecture);
  v.opt("os", s.os);
  v.opt("variant", s.variant);
  v.opt("parent", s.parent);
  v.opt("labels", s.labels);
}

struct ImageRecord {
  base::Digest id;        ///< of the config
  base::Digest manifest;  ///< of the manifest in the layout
  std::string media_type;
  std::uint64_t size = 0;
  base::Time stored;
  Summary summary;
  base::Time used;  ///< last pulled, loaded, run or started
};

struct RefRecord {
  std::string reference;  ///< whole, with a tag or a digest
  base::Digest image_id;
  base::Digest manifest;  ///< what the registry calls it, or the layout's manifest
  base::Time updated;

  [[nodiscard]] spec::Reference parsed() const { return spec::Reference::parse(reference).value(); }
  [[nodiscard]] bool is_digest() const { return reference.find('@') != std::string::npos; }
};

struct NewReference {
  spec::Reference reference;
  base::Digest manifest;
};

class Records {
 public:
  explicit Records(state::Database& database) : database_{database} {}

  base::Result<std::optional<ImageRecord>> image(const base::Digest& id) const;
  base::Result<std::vector<ImageRecord>> images() const;
  base::Result<std::uint64_t> count() const;
  /// The ids that begin with these hex digits, at most two.
  base::Result<std::vector<base::Digest>> ids_with_prefix(const std::string& hex) const;

  base::Result<std::optional<RefRecord>> reference(const std::string& reference) const;
  base::Result<std::vector<RefRecord>> references() const;
  /// Sorted by text.
  base::Result<std::vector<RefRecord>> references_of(const base::Digest& image_id) const;

  base::Result<std::optional<LayerRecord>> layer(const std::string& chain_id) const;
  base::Result<std::vector<LayerRecord>> layers() const;
  /// The lowest first.
  base::Result<std::vector<LayerRecord>> layers_of(const base::Digest& image_id) const;
  /// Of no image and without a layer above.
  base::Result<std::vector<std::string>> unused_layers() const;
  base::Result<bool> is_unused(const std::string& chain_id) const;
  /// A layer whose blob this is, best one that can make it again.
  base::Result<std::optional<LayerRecord>> layer_with_blob(const base::Digest& blob) const;

  /// Parents first. Layers that are there stay as they are.
  base::Result<> add_layers(const std::vector<LayerRecord>& layers);
  /// The image, if it is not there, and its names, in one durable transaction.
  base::Result<> add_image(const ImageRecord& image, const std::vector<std::string>& chain_ids,
                           const std::vector<NewReference>& references);
  base::Result<> set_reference(const NewReference& reference, const base::Digest& image_id);
  base::Result<> remove_reference(const std::string& reference);
  /// With all its names.
  base::Result<> remove_image(const base::Digest& id);
  base::Result<> remove_layer(const std::string& chain_id);

  /// The image was used; nothing there is success.
  base::Result<> touch(const base::Digest& id, base::Time time);
  /// An empty digest for none.
  base::Result<> set_recipe(const std::string& chain_id, const base::Digest& recipe);
  base::Result<> set_manifest(const base::Digest& id, const base::Digest& manifest, const std::string& media_type);
  base::Result<> set_layers(const base::Digest& id, const std::vector<std::string>& chain_ids, std::uint64_t size);

 private:
  state::Database& database_;
};

}  // namespace image::detail
