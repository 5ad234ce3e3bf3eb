/// The file system check of the image stores: `Store::check`.
///
/// Order: first what has no use (folders, snapshots, downloads), then layers from the lowest up, then
/// blobs, then images, which by then have everything that could be brought back. What an image that had to go
/// leaves behind is cleaned up without a word.

#include <algorithm>
#include <map>
#include <set>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "codec/sha256.h"
#include "image/detail/install.h"
#include "image/detail/layer_blob.h"
#include "image/store.h"

namespace image {
namespace {

using base::Digest;
using base::Result;
using detail::Core;
using detail::ImageRecord;
using detail::LayerRecord;

/// One layer from its blob, which is here.
class FromBlob final : public detail::LayerMaker {
 public:
  explicit FromBlob(Core& core) : core_{core} {}
  Result<detail::Prepared> make(const detail::LayerJob& job, const std::stop_token& /*stop*/) override {
    TRY(core_.content.verify(job.blob.digest()));
    const auto source = TRY(core_.content.source(job.blob.digest()));
    return detail::unpack(core_, *source, job);
  }
  void exists(const detail::LayerJob& /*job*/) override {}
  void planned(const detail::LayerJob& /*job*/) override {}
  void waits(const detail::LayerJob& /*job*/) override {}
  void finished(const detail::LayerJob& /*job*/) override {}

 private:
  Core& core_;
};

class Check {
 public:
  Check(Core& core, const CheckOptions& options, const ImageUsers& users)
      : core_{core}, options_{options}, users_{users}, before_{base::now() - options.grace} {}

  Result<CheckReport> run();

 private:
  Result<> folders();
  Result<> writable_snapshots();
  Result<> downloads();
  Result<> layers();
  Result<> recipes();
  Result<> needed();
  Result<> unneeded();
  Result<> images();
  Result<> image(const ImageRecord& image);
  Result<> manifest(const ImageRecord& image);
  Result<> index();

  Result<> rebuild(const LayerRecord& layer);
  /// Why a blob is no good; "" when it is.
  Result<std::string> fault_of(const Digest& digest) const;
  /// Takes what was lost out of the records, with the images that can't do without.
  Result<> give_up(const ImageRecord& image, Finding finding);
  /// Adds the finding; `act` is run when things are to be repaired.
  Result<> report(Finding finding, base::FunctionRef<Result<>()> act);
  void tell(Finding finding) { out_.findings.push_back(std::move(finding)); }

  Core& core_;
  const CheckOptions& options_;
  const ImageUsers& users_;
  const base::Time before_;
  CheckReport out_;
  bool image_gone_ = false;
  std::set<std::string> lost_layers_;           ///< chain ids: neither a folder nor a blob
  std::map<std::string, std::string> lost_blobs_;  ///< digest → what is wrong
};

Result<> Check::report(Finding finding, base::FunctionRef<Result<>()> act) {
  if (options_.repair) {
    if (const auto done = act(); done) {
      finding.repaired = true;
      base::log::info("fsck: {} {}: {}; {}", finding.kind, finding.subject, finding.problem, finding.remedy);
    } else {
      finding.remedy = "could not be repaired: " + done.error().message();
    }
  }
  tell(std::move(finding));
  return {};
}

Result<> Check::folders() {
  for (const auto& damage : TRY(core_.snapshotter.check())) {
    const auto repair = [&] { return core_.snapshotter.repair(damage); };
    const std::string folder = fmt::format("snapshots/{}", damage.number);
    switch (damage.kind) {
      case snapshot::Damage::Kind::FolderUnknown:
        TRY(report({.kind = "unknown-folder", .subject = folder, .problem = "no record names this folder",
                    .remedy = "remove it", .bytes = damage.found.bytes}, repair));
        break;
      case snapshot::Damage::Kind::WrongUsage:
        TRY(report({.kind = "wrong-size", .subject = damage.info.key,
                    .problem = fmt::format("recorded are {} bytes in {} files, {} has {} in {}", damage.recorded.bytes,
                                           damage.recorded.inodes, folder, damage.found.bytes, damage.found.inodes),
                    .remedy = "record what is there"}, repair));
        break;
      case snapshot::Damage::Kind::FolderMissing:
        // A layer's is looked at with the layers.
        if (damage.info.kind == snapshot::Kind::Layer) break;
        tell({.kind = "missing-folder", .subject = damage.info.key,
              .problem = folder + ", the writable layer of this container, is gone",
              .remedy = "what the container wrote is lost: remove the container"});
        break;
    }
  }
  return {};
}

Result<> Check::writable_snapshots() {
  const auto owners = users_.snapshot_owners();
  std::unordered_set<std::string> ownerless{owners.begin(), owners.end()};
  for (const auto& info : TRY(core_.snapshotter.list())) {
    ++out_.snapshots;
    if (info.kind != snapshot::Kind::Writable || ownerless.erase(info.key) != 0 || info.created >= before_) continue;
    const auto usage = core_.snapshotter.usage(info.key);
    TRY(report({.kind = "unneeded-snapshot", .subject = info.key, .problem = "no container has this writable layer",
                .remedy = "remove it", .bytes = usage ? usage->bytes : 0},
               [&] { return core_.snapshotter.remove(info.key); }));
  }
  for (const auto& owner : ownerless) {
    // One that was made since the list was read has its snapshot.
    if (TRY(core_.snapshotter.has(owner))) continue;
    const bool told = std::ranges::any_of(out_.findings, [&](const Finding& f) { return f.subject == owner; });
    if (told) continue;
    const auto again = users_.snapshot_owners();
    if (std::ranges::find(again, owner) == again.end()) continue;
    tell({.kind = "missing-snapshot", .subject = owner, .problem = "this container has no writable layer",
          .remedy = "what the container wrote is lost: remove the container"});
  }
  return {};
}

Result<> Check::downloads() {
  for (const auto& leftover : TRY(core_.content.leftovers())) {
    if (!leftover.useless && leftover.changed >= before_) continue;
    TRY(report({.kind = "orphaned-ingest", .subject = "content/ingest/" + leftover.name,
                .problem = leftover.useless ? "no download can use this file" : "nobody went on with this download",
                .remedy = "remove it", .bytes = leftover.bytes},
               [&] { return core_.content.remove_leftover(leftover.name); }));
  }
  return {};
}

Result<std::string> Check::fault_of(const Digest& digest) const {
  if (!TRY(core_.content.has(digest))) return "is missing";
  if (options_.quick) return std::string{};
  return core_.content.verify(digest) ? std::string{} : "is damaged: its bytes have another digest";
}

Result<> Check::rebuild(const LayerRecord& layer) {
  const detail::Pin pin{core_.board, {layer.chain_id, layer.parent}};
  auto lease = core_.content.lease();
  lease.add(layer.blob);
  const detail::LayerJob job{spec::Descriptor::of(layer.blob_media_type, layer.blob, layer.blob_size), layer.diff_id,
                             layer.chain_id, layer.parent};
  FromBlob maker{core_};
  auto prepared = TRY(maker.make(job, {}));
  std::vector<snapshot::NewLayer> layers;
  layers.push_back({std::move(prepared.staging), layer.chain_id, layer.parent, prepared.describes_root});
  return core_.snapshotter.commit(std::move(layers));
}

Result<> Check::layers() {
  auto records = TRY(core_.records.layers());
  out_.layers = records.size();
  // Parents first: a layer is put on top of one that is there.
  std::map<std::string, const LayerRecord*> by_chain;
  for (const auto& layer : records) by_chain[layer.chain_id] = &layer;
  std::map<std::string, int> depths;
  const auto depth_of = [&](const LayerRecord& layer) {
    int depth = 0;
    for (const auto* at = &layer; at != nullptr && depth <= static_cast<int>(records.size()); ++depth) {
      const auto parent = by_chain.find(at->parent);
      at = parent == by_chain.end() ? nullptr : parent->second;
    }
    return depth;
  };
  for (const auto& layer : records) depths[layer.chain_id] = depth_of(layer);
  std::vector<const LayerRecord*> ordered;
  for (const auto& layer : records) ordered.push_back(&layer);
  std::ranges::sort(ordered, {}, [&](const LayerRecord* layer) { return depths[layer->chain_id]; });
  for (const auto* layer : ordered) {
    if (TRY(core_.snapshotter.has(layer->chain_id))) continue;
    if (!TRY(core_.records.layer(layer->chain_id))) continue;  // removed meanwhile
    Finding finding{.kind = "missing-layer", .subject = layer->chain_id, .problem = "the folder of this layer is gone"};
    const std::string fault = TRY(fault_of(layer->blob));
    if (fault.empty() && !lost_layers_.contains(layer->parent)) {
      finding.remedy = "unpack it again from blob " + layer->blob.str();
      TRY(report(std::move(finding), [&] { return rebuild(*layer); }));
      if (options_.repair && !out_.findings.back().repaired) lost_layers_.insert(layer->chain_id);
      continue;
    }
    lost_layers_.insert(layer->chain_id);
    if (!fault.empty()) finding.problem += ", and its blob " + layer->blob.str() + " " + fault;
    finding.remedy = "pull an image that has it again";
    tell(std::move(finding));
  }
  return {};
}

Result<> Check::recipes() {
  for (const auto& layer : TRY(core_.records.layers())) {
    if (layer.recipe.empty()) continue;
    const bool blob_here = TRY(core_.content.has(layer.blob));
    const std::string fault = TRY(fault_of(layer.recipe));
    if (blob_here && !fault.empty()) {
      TRY(report({.kind = "lost-recipe", .subject = layer.chain_id, .problem = "recipe " + layer.recipe.str() + " " + fault,
                  .remedy = "keep the layer's blob"}, [&]() -> Result<> {
        TRY(core_.content.remove(layer.recipe));
        return core_.records.set_recipe(layer.chain_id, Digest{});
      }));
      continue;
    }
    // Without its blob a layer has no other proof than to come out as it went in.
    if (blob_here || options_.quick || lost_layers_.contains(layer.chain_id)) continue;
    if (TRY(detail::comes_out_again(core_, layer)) || !TRY(core_.records.layer(layer.chain_id))) continue;
    lost_layers_.insert(layer.chain_id);
    tell({.kind = "damaged-layer", .subject = layer.chain_id,
          .problem = fault.empty() ? "the unpacked layer was changed" : "its recipe " + layer.recipe.str() + " " + fault,
          .remedy = "pull or load an image that has it again"});
  }
  return {};
}

Result<> Check::needed() {
  std::map<std::string, std::string> recipes;  // blob → recipe, and recipe → blob: looked at already
  for (const auto& layer : TRY(core_.records.layers())) {
    if (layer.recipe.empty()) continue;
    recipes[layer.blob.str()] = layer.recipe.str();
    recipes[layer.recipe.str()] = layer.blob.str();
  }
  const auto needs = TRY(detail::needed_blobs(core_));
  std::vector<std::pair<Digest, std::string>> sorted{needs.begin(), needs.end()};
  std::ranges::sort(sorted);
  for (const auto& [digest, why] : sorted) {
    if (digest.empty()) continue;
    const bool here = TRY(core_.content.has(digest));
    if (here) ++out_.blobs;
    // Dropped on purpose: it is made again when it is asked for.
    if (!here && recipes.contains(digest.str())) continue;
    const std::string fault = TRY(fault_of(digest));
    if (fault.empty()) continue;
    if (const auto again = TRY(detail::needed_blobs(core_)); !again.contains(digest)) continue;  // removed meanwhile
    const bool made_again = recipes.contains(digest.str());
    if (!made_again) lost_blobs_[digest.str()] = fault;
    Finding finding{.kind = here ? "damaged-blob" : "missing-blob", .subject = digest.str(), .problem = why + " " + fault};
    if (here) {
      finding.remedy = made_again ? "remove the file: it is made again from the unpacked layer"
                                  : "remove the file, so that nothing is made of it; a pull brings it back";
      TRY(report(std::move(finding), [&] { return core_.content.remove(digest); }));
    } else {
      finding.remedy = "a pull brings it back";
      tell(std::move(finding));
    }
  }
  return {};
}

Result<> Check::unneeded() {
  const auto needs = TRY(detail::needed_blobs(core_));
  bool any = false;
  std::vector<Finding> found;
  for (const auto& blob : TRY(core_.content.list())) {
    if (needs.contains(blob.digest) || blob.stored >= before_) continue;
    if (TRY(detail::needed_blobs(core_)).contains(blob.digest)) continue;  // recorded meanwhile
    any = true;
    found.push_back({.kind = "unneeded-blob", .subject = blob.digest.str(), .problem = "no image and no layer needs this blob",
                     .remedy = "remove it", .bytes = blob.size});
  }
  if (any && options_.repair) TRY(detail::remove_unused_blobs(core_, options_.grace));
  for (auto& finding : found) {
    const auto digest = TRY(Digest::parse(finding.subject));
    finding.repaired = options_.repair && !TRY(core_.content.has(digest));
    if (options_.repair && !finding.repaired) continue;  // somebody needs it now
    tell(std::move(finding));
  }
  return {};
}

Result<> Check::give_up(const ImageRecord& image, Finding finding) {
  std::vector<std::string> names;
  for (const auto& reference : TRY(core_.records.references_of(image.id))) {
    if (!reference.is_digest()) names.push_back(reference.parsed().familiar());
  }
  const std::string known_as = names.empty() ? image.id.str() : fmt::format("{}", fmt::join(names, ", "));
  if (const auto users = users_.users_of(image.id); !users.empty()) {
    finding.remedy = fmt::format("containers were made of it, so it stays: pull or load {} again", known_as);
    tell(std::move(finding));
    return {};
  }
  finding.remedy = "remove the image " + known_as + "; pull or load it again";
  return report(std::move(finding), [&]() -> Result<> {
    image_gone_ = true;
    const std::scoped_lock lock{core_.names_mutex};
    return core_.records.remove_image(image.id);
  });
}

Result<> Check::manifest(const ImageRecord& image) {
  if (!lost_blobs_.contains(image.manifest.str())) return {};
  const auto remake = [&]() -> Result<> {
    const auto layers = TRY(core_.records.layers_of(image.id));
    const auto size = TRY(core_.content.stat(image.id)).size;
    auto lease = core_.content.lease();
    const std::string bytes = detail::manifest_of(layers, image.id, size).dump();
    lease.add(codec::sha256(bytes));
    const Digest digest = TRY(core_.content.write_blob(bytes));
    const std::scoped_lock lock{core_.names_mutex};
    return core_.records.set_manifest(image.id, digest, std::string{spec::media::kOciManifest});
  };
  return report({.kind = "lost-manifest", .subject = image.id.str(),
                 .problem = "manifest " + image.manifest.str() + " " + lost_blobs_[image.manifest.str()],
                 .remedy = "write a new one of what the records say"}, remake);
}

Result<> Check::image(const ImageRecord& image) {
  Finding broken{.kind = "broken-image", .subject = image.id.str()};
  if (const auto lost = lost_blobs_.find(image.id.str()); lost != lost_blobs_.end()) {
    broken.problem = "its config " + lost->second;
    return give_up(image, std::move(broken));
  }
  const auto config = detail::read_config(core_, image.id);
  if (!config) {
    broken.problem = "its config can't be read: " + config.error().message();
    return give_up(image, std::move(broken));
  }
  const auto chain_ids = detail::chain_texts(config->diff_ids());
  std::uint64_t size = 0;
  for (const auto& chain_id : chain_ids) {
    const auto layer = TRY(core_.records.layer(chain_id));
    if (!layer) {
      broken.problem = "layer " + chain_id + " is not recorded";
    } else if (lost_layers_.contains(chain_id)) {
      broken.problem = "layer " + chain_id + " is lost";
    } else if (const auto blob = lost_blobs_.find(layer->blob.str()); blob != lost_blobs_.end()) {
      broken.problem = "blob " + blob->first + " of its layer " + chain_id + " " + blob->second;
    } else {
      size += layer->size;
      continue;
    }
    return give_up(image, std::move(broken));
  }
  TRY(manifest(image));
  std::vector<std::string> recorded;
  for (const auto& layer : TRY(core_.records.layers_of(image.id))) recorded.push_back(layer.chain_id);
  const auto correct = [&] { return core_.records.set_layers(image.id, chain_ids, size); };
  if (recorded != chain_ids) {
    return report({.kind = "wrong-layers", .subject = image.id.str(),
                   .problem = fmt::format("{} layers are recorded that are not those of its config", recorded.size()),
                   .remedy = fmt::format("record the config's {} layers", chain_ids.size())}, correct);
  }
  if (size != image.size) {
    return report({.kind = "wrong-size", .subject = image.id.str(),
                   .problem = fmt::format("recorded are {} bytes, its layers have {}", image.size, size),
                   .remedy = "record what is there"}, correct);
  }
  return {};
}

Result<> Check::images() {
  for (const auto& record : TRY(core_.records.images())) {
    ++out_.images;
    const auto checked = image(record);
    if (checked) continue;
    if (!TRY(core_.records.image(record.id))) continue;  // removed meanwhile
    return checked;
  }
  return {};
}

Result<> Check::index() {
  const auto same = [](const content::IndexEntry& a, const content::IndexEntry& b) {
    return a.digest == b.digest && a.media_type == b.media_type && a.size == b.size && a.annotations == b.annotations;
  };
  const auto differs = [&]() -> Result<bool> {
    const std::scoped_lock lock{core_.index_mutex};
    const auto wanted = TRY(detail::index_entries(core_));
    const auto found = core_.content.index();
    return !found || !std::ranges::equal(wanted, *found, same);
  };
  // Whoever changes a name writes the index a moment later.
  if (!TRY(differs()) || !TRY(differs())) return {};
  return report({.kind = "stale-index", .subject = "content/index.json", .problem = "it does not say what the records say",
                 .remedy = "write it again"}, [&] { return detail::write_index(core_); });
}

Result<CheckReport> Check::run() {
  TRY(folders());
  TRY(writable_snapshots());
  TRY(downloads());
  TRY(layers());
  TRY(recipes());
  TRY(needed());
  TRY(unneeded());
  TRY(images());
  if (image_gone_) {
    TRY(detail::remove_unused(core_));
    TRY(detail::remove_unused_blobs(core_, std::chrono::seconds{0}));
    TRY(detail::write_index(core_));
  }
  TRY(index());
  return std::move(out_);
}

}  // namespace

Result<CheckReport> Store::check(const CheckOptions& options, const ImageUsers& users) {
  return Check{*core_, options, users}.run();
}

}  // namespace image
