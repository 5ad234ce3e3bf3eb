#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <unordered_set>
#include <utility>

#include "base/log.h"
#include "image/detail/core.h"
#include "image/detail/removal.h"
#include "image/store.h"

namespace image {
namespace {

using base::Digest;
using base::ErrorKind;
using base::Result;
using detail::Core;
using detail::ImageRecord;
using spec::api::ImageSummary;

/// The ids of the newest `count` images of each repository. `images` are newest first.
std::set<std::string> last_of_each(const std::vector<ImageSummary>& images, std::uint64_t count) {
  std::set<std::string> kept;
  std::map<std::string, std::set<std::string>> of_repository;
  for (const auto& image : images) {
    for (const auto& tag : image.repo_tags) {
      const auto name = spec::Reference::parse(tag);
      if (!name) continue;
      auto& ids = of_repository[name->name()];
      if (ids.size() >= count) continue;
      ids.insert(image.id);
      kept.insert(image.id);
    }
  }
  return kept;
}

/// Newest first; of one second, as the config tells it, the one that came last.
Result<std::vector<ImageSummary>> newest_first(const Core& core, std::vector<ImageSummary> images) {
  std::map<std::string, base::Time> stored;
  for (const auto& record : TRY(core.records.images())) stored[record.id.str()] = record.stored;
  std::ranges::stable_sort(images, [&](const ImageSummary& a, const ImageSummary& b) {
    return a.created != b.created ? a.created > b.created : stored[a.id] > stored[b.id];
  });
  return images;
}

/// What is left on the disk when some images are gone, by the records.
class Rest {
 public:
  static Result<Rest> read(const Core& core, const std::set<std::string>& gone);

  [[nodiscard]] bool has_layer(const std::string& chain_id) const { return layers_.contains(chain_id); }
  [[nodiscard]] bool has_blob(const Digest& digest) const { return blobs_.contains(digest); }

 private:
  std::unordered_set<std::string> layers_;
  std::unordered_set<Digest> blobs_;
};

Result<Rest> Rest::read(const Core& core, const std::set<std::string>& gone) {
  Rest rest;
  std::map<std::string, detail::LayerRecord> layers;
  for (auto& layer : TRY(core.records.layers())) layers.emplace(layer.chain_id, std::move(layer));
  const auto keep = [&](std::string chain_id) {
    while (!chain_id.empty() && rest.layers_.insert(chain_id).second) {
      const auto layer = layers.find(chain_id);
      if (layer == layers.end()) return;
      rest.blobs_.insert(layer->second.blob);
      if (!layer->second.recipe.empty()) rest.blobs_.insert(layer->second.recipe);
      chain_id = layer->second.parent;
    }
  };
  for (const auto& image : TRY(core.records.images())) {
    if (gone.contains(image.id.str())) continue;
    rest.blobs_.insert(image.id);
    rest.blobs_.insert(image.manifest);
    for (const auto& layer : TRY(core.records.layers_of(image.id))) keep(layer.chain_id);
  }
  for (const auto& info : TRY(core.snapshotter.list())) {
    if (info.kind == snapshot::Kind::Writable) keep(info.parent);
  }
  return rest;
}

/// What a prune of `images` would answer, without doing it.
Result<Pruned> foretell(const Core& core, const std::vector<ImageSummary>& images) {
  Pruned out;
  std::set<std::string> gone;
  const auto all = TRY(core.records.images());
  // Newest first: children before what they stand on.
  for (const auto& image : images) {
    const bool is_parent = std::ranges::any_of(all, [&](const ImageRecord& other) {
      return other.summary.parent == image.id && !gone.contains(other.id.str());
    });
    if (is_parent) continue;
    gone.insert(image.id);
    Removed removed;
    removed.id = TRY(Digest::parse(image.id));
    for (const auto& reference : TRY(core.records.references_of(removed.id))) {
      removed.items.push_back({reference.parsed().familiar(), {}});
    }
    removed.items.push_back({{}, image.id});
    out.removed.push_back(std::move(removed));
  }
  const Rest rest = TRY(Rest::read(core, gone));
  for (const auto& layer : TRY(core.records.layers())) {
    if (rest.has_layer(layer.chain_id)) continue;
    out.layers.push_back({{}, layer.chain_id});
    out.bytes += layer.size;
  }
  for (const auto& blob : TRY(core.content.list())) {
    if (!rest.has_blob(blob.digest)) out.bytes += blob.size;
  }
  return out;
}

/// Takes the images out of the records, as far as nothing came between; what only they needed follows.
Result<Pruned> remove_all(Core& core, const std::vector<std::string>& ids, bool force, const ImageUsers& users) {
  Pruned out;
  for (const auto& id : ids) {
    auto gone = detail::remove_rows(core, id, force, true, users);
    // Somebody began to use it, gave it a name or removed it meanwhile, or another image stands on it.
    if (gone.failed_as(ErrorKind::Conflict) || gone.failed_as(ErrorKind::NotFound)) continue;
    out.removed.push_back(std::move(TRY(std::move(gone)).removed));
  }
  auto freed = TRY(detail::remove_unused(core));
  TRY(detail::write_index(core));
  out.bytes = freed.bytes + TRY(detail::remove_unused_blobs(core, std::chrono::seconds{0}));
  for (auto& chain_id : freed.chain_ids) out.layers.push_back({{}, std::move(chain_id)});
  return out;
}

/// By the records: cheap enough to ask after each pull.
Result<std::uint64_t> bytes_of_images(const Core& core) {
  std::uint64_t bytes = 0;
  for (const auto& layer : TRY(core.records.layers())) bytes += layer.size;
  for (const auto& blob : TRY(core.content.list())) bytes += blob.size;
  return bytes;
}

}  // namespace

Result<Pruned> Store::prune(const PruneOptions& options, const ImageUsers& users) {
  ListOptions wanted;
  wanted.filters = options.filters;
  if (options.all) {
    wanted.filters.erase("dangling");
  } else {
    wanted.filters["dangling"] = {"true"};
  }
  const auto kept = options.keep_last == 0 ? std::set<std::string>{}
                                           : last_of_each(TRY(newest_first(*core_, TRY(list({})))), options.keep_last);
  const base::Time limit = base::now() - options.unused_for;
  std::vector<ImageSummary> images;
  // Children come before their parents, which could not go otherwise.
  for (auto& image : TRY(newest_first(*core_, TRY(list(wanted))))) {
    const auto id = TRY(Digest::parse(image.id));
    if (kept.contains(image.id) || !users.users_of(id).empty()) continue;
    const auto record = TRY(core_->records.image(id));
    if (!record) continue;
    if (options.unused_for > std::chrono::seconds{0} && std::max(record->used, record->stored) > limit) continue;
    images.push_back(std::move(image));
  }
  if (options.dry_run) return foretell(*core_, images);
  std::vector<std::string> ids;
  for (const auto& image : images) ids.push_back(image.id);
  return remove_all(*core_, ids, options.all, users);
}

Result<Pruned> Store::evict(std::uint64_t budget, const Digest& keep, const ImageUsers& users) {
  Pruned out;
  std::vector<ImageRecord> candidates = TRY(core_->records.images());
  std::ranges::sort(candidates, {}, [](const ImageRecord& image) { return std::max(image.used, image.stored); });
  for (const auto& image : candidates) {
    if (TRY(bytes_of_images(*core_)) <= budget) break;
    if (image.id == keep || !users.users_of(image.id).empty()) continue;
    auto gone = TRY(remove_all(*core_, {image.id.str()}, true, users));
    for (auto& removed : gone.removed) {
      base::log::info("image {} is removed: it was used least lately, and image-budget is {} bytes", removed.id.str(), budget);
      out.removed.push_back(std::move(removed));
    }
    out.layers.insert(out.layers.end(), gone.layers.begin(), gone.layers.end());
    out.bytes += gone.bytes;
  }
  return out;
}

}  // namespace image
