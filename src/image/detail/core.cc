#include "image/detail/core.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "base/log.h"
#include "base/strings.h"
#include "image/detail/layer_blob.h"
#include "image/detail/variants.h"

namespace image::detail {
namespace {

using base::Digest;
using base::ErrorKind;
using base::Result;

constexpr std::size_t kConfigLimit = distribution::kConfigLimit;

bool is_hex(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  });
}

/// By a whole digest that is an id, or null.
Result<std::optional<ImageRecord>> find_by_digest(const Core& core, const std::string& ref) {
  if (spec::is_image_id(ref)) return core.records.image(Digest::sha256(ref));
  if (const auto digest = Digest::parse(ref)) return core.records.image(*digest);
  return std::optional<ImageRecord>{};
}

Result<std::optional<ImageRecord>> find_by_prefix(const Core& core, std::string_view ref) {
  if (ref.starts_with("sha256:")) ref.remove_prefix(std::string_view{"sha256:"}.size());
  if (!is_hex(ref) || ref.size() > 64) return std::optional<ImageRecord>{};
  const auto ids = TRY(core.records.ids_with_prefix(std::string{ref}));
  if (ids.size() != 1) return std::optional<ImageRecord>{};
  return core.records.image(ids.front());
}

}  // namespace

Core::Core(state::Database& the_database, content::Store& the_content, snapshot::Snapshotter& the_snapshotter,
           Options the_options)
    : content{the_content},
      snapshotter{the_snapshotter},
      options{std::move(the_options)},
      records{the_database},
      max_downloads{options.max_concurrent_downloads},
      max_uploads{options.max_concurrent_uploads},
      downloads{options.max_concurrent_downloads} {}
Core::~Core() = default;

base::Error no_such_image(const std::string& ref) {
  const auto parsed = spec::Reference::parse(ref);
  return base::not_found("No such image: " + (parsed ? parsed->with_default_tag().familiar() : ref));
}

std::vector<std::string> chain_texts(const std::vector<Digest>& diff_ids) {
  std::vector<std::string> texts;
  for (const auto& chain_id : spec::chain_ids(diff_ids)) texts.push_back(chain_id.str());
  return texts;
}

Result<ImageRecord> find_image(const Core& core, const std::string& ref) {
  if (auto image = TRY(find_by_digest(core, ref))) return *std::move(image);
  if (spec::is_image_id(ref) || Digest::parse(ref)) return no_such_image(ref);
  const auto name = spec::Reference::parse(ref);
  if (!name) {
    // "sha256:ab12" is no name, but the beginning of an id.
    if (auto image = TRY(find_by_prefix(core, ref))) return *std::move(image);
    return base::Error{name.error()};
  }
  // With both a tag and a digest, the digest decides.
  const auto wanted = name->digest().empty() ? name->with_default_tag() : name->with_digest(name->digest());
  if (const auto found = TRY(core.records.reference(wanted.str()))) {
    if (auto image = TRY(core.records.image(found->image_id))) return *std::move(image);
  }
  if (auto image = TRY(find_by_prefix(core, ref))) return *std::move(image);
  return no_such_image(ref);
}

Result<spec::ImageConfig> read_config(const Core& core, const Digest& id) {
  const std::string bytes = TRY(core.content.read(id, kConfigLimit).context("config of image " + id.str()));
  return spec::ImageConfig::parse(bytes);
}

Result<std::vector<content::IndexEntry>> index_entries(const Core& core) {
  std::vector<content::IndexEntry> entries;
  const auto references = TRY(core.records.references());
  for (const auto& image : TRY(core.records.images())) {
    content::IndexEntry entry;
    entry.media_type = image.media_type;
    entry.digest = image.manifest;
    auto blob = core.content.stat(image.manifest);
    // Removed since the rows were read: who did that writes the index after us.
    if (blob.failed_as(ErrorKind::NotFound)) continue;
    entry.size = TRY(std::move(blob)).size;
    spec::Platform platform{image.summary.architecture, image.summary.os, {}, image.summary.variant, {}};
    entry.platform = codec::to_json(platform);
    bool named = false;
    for (const auto& reference : references) {
      if (reference.image_id != image.id || reference.is_digest()) continue;
      const auto name = reference.parsed();
      content::IndexEntry with_name = entry;
      with_name.annotations[std::string{content::kImageNameAnnotation}] = name.str();
      with_name.annotations[std::string{content::kRefNameAnnotation}] = name.str();
      entries.push_back(std::move(with_name));
      named = true;
    }
    if (!named) entries.push_back(std::move(entry));
  }
  return entries;
}

Result<> write_index(Core& core) {
  const std::scoped_lock lock{core.index_mutex};
  return core.content.set_index(TRY(index_entries(core)));
}

Result<Needs> needed_blobs(const Core& core) {
  Needs needs;
  for (const auto& image : TRY(core.records.images())) {
    needs.emplace(image.id, "config of image " + image.id.str());
    needs.emplace(image.manifest, "manifest of image " + image.id.str());
  }
  for (const auto& layer : TRY(core.records.layers())) {
    needs.emplace(layer.blob, "layer " + layer.chain_id);
    if (!layer.recipe.empty()) needs.emplace(layer.recipe, "recipe of layer " + layer.chain_id);
  }
  for (const auto& blob : TRY(index_blobs(core))) needs.emplace(blob, "index of several platforms");
  return needs;
}

Result<std::uint64_t> remove_unused_blobs(Core& core, std::chrono::seconds grace) {
  const auto roots = [&]() -> Result<content::Store::Roots> {
    content::Store::Roots needed;
    for (const auto& [digest, why] : TRY(needed_blobs(core))) needed.insert(digest);
    return needed;
  };
  return TRY(core.content.collect(roots, grace)).bytes;
}

Result<Freed> remove_unused(Core& core) {
  Freed freed;
  std::unordered_set<std::string> kept;
  for (bool progress = true; std::exchange(progress, false);) {
    for (const auto& chain_id : TRY(core.records.unused_layers())) {
      if (kept.contains(chain_id)) continue;
      const auto layer = TRY(core.records.layer(chain_id));
      const bool gone = TRY(core.board.remove_unpinned(chain_id, [&]() -> Result<bool> {
        // Asked again: a pull may have recorded its image and let go of its pin since the list was read.
        if (!TRY(core.records.is_unused(chain_id))) return false;
        auto result = core.snapshotter.remove(chain_id);
        // A container of a removed image still stands on it.
        if (result.failed_as(ErrorKind::Conflict)) return false;
        TRY(std::move(result));
        TRY(core.records.remove_layer(chain_id));
        return true;
      }));
      if (gone) {
        freed.chain_ids.push_back(chain_id);
        if (layer) freed.bytes += layer->size;
        progress = true;
      } else {
        kept.insert(chain_id);
      }
    }
  }
  return freed;
}

Result<> remove_unrecorded_snapshots(Core& core) {
  std::unordered_set<std::string> known;
  for (const auto& layer : TRY(core.records.layers())) known.insert(layer.chain_id);
  std::vector<std::string> leftover;
  for (const auto& info : TRY(core.snapshotter.list())) {
    if (info.kind == snapshot::Kind::Layer && !known.contains(info.key)) leftover.push_back(info.key);
  }
  // Children before parents, without knowing the order: as long as a round removes something.
  for (bool progress = true; std::exchange(progress, false) && !leftover.empty();) {
    std::vector<std::string> rest;
    for (const auto& key : leftover) {
      auto result = core.snapshotter.remove(key);
      if (result.failed_as(ErrorKind::Conflict)) {
        rest.push_back(key);
        continue;
      }
      TRY(std::move(result));
      base::log::info("removed layer {}: left behind by an interrupted pull", key);
      progress = true;
    }
    leftover = std::move(rest);
  }
  return {};
}

}  // namespace image::detail
