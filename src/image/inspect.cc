#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "image/detail/manifests.h"
#include "image/store.h"

namespace image {
namespace {

using base::Result;
using detail::Core;

/// Fills the image's names, familiar and sorted.
Result<base::Time> add_names(const Core& core, const base::Digest& id, std::vector<std::string>& tags,
                             std::vector<std::string>& digests) {
  base::Time last{};
  for (const auto& reference : TRY(core.records.references_of(id))) {
    (reference.is_digest() ? digests : tags).push_back(reference.parsed().familiar());
    if (!reference.is_digest()) last = std::max(last, reference.updated);
  }
  return last;
}

Result<Image> image_of(const Core& core, const detail::ImageRecord& record) {
  Image image;
  image.id = record.id;
  image.config = TRY(detail::read_config(core, record.id));
  const auto chain_ids = detail::chain_texts(image.config.diff_ids());
  if (!chain_ids.empty()) image.top_layer = chain_ids.back();
  image.size = record.size;
  TRY(add_names(core, record.id, image.repo_tags, image.repo_digests));
  return image;
}

/// As docker's overlay2 driver shows them.
Result<spec::api::DriverData> driver_data(Core& core, const std::string& top_layer) {
  spec::api::DriverData driver;
  const std::string_view name = core.snapshotter.name();
  driver.name = name == "overlay" ? "overlay2" : std::string{name};
  if (top_layer.empty()) return driver;
  auto mounts = core.snapshotter.mounts(top_layer);
  if (!mounts) return driver;
  auto& data = driver.data.emplace();
  if (!mounts->is_overlay()) {
    data["UpperDir"] = mounts->bind_source.empty() ? mounts->upper : mounts->bind_source;
    return driver;
  }
  data["UpperDir"] = mounts->lowers.front();
  mounts->lowers.erase(mounts->lowers.begin());
  if (!mounts->lowers.empty()) data["LowerDir"] = base::join(mounts->lowers, ":");
  return driver;
}

std::int64_t seconds_of(const std::string& created) {
  const auto time = base::parse_rfc3339(created);
  return time ? std::chrono::floor<std::chrono::seconds>(*time).time_since_epoch().count() : 0;
}

}  // namespace

Result<Image> Store::get(const std::string& ref) const {
  return image_of(*core_, TRY(detail::find_image(*core_, ref)));
}

Result<Hold> Store::hold(const std::string& ref, const std::string& platform) {
  auto variant = detail::find_variant(*core_, ref, platform);
  if (!variant && !variant.failed_as(base::ErrorKind::NotFound)) return std::move(variant.error());
  const auto found = variant ? *std::move(variant) : TRY(detail::find_image(*core_, ref));
  const auto config = TRY(detail::read_config(*core_, found.id));
  auto pin = std::make_unique<detail::Pin>(core_->board, detail::chain_texts(config.diff_ids()));
  // Gone between looking and pinning?
  const auto record = TRY(core_->records.image(found.id));
  if (!record) return detail::no_such_image(ref);
  TRY(core_->records.touch(record->id, base::now()));
  return Hold{TRY(image_of(*core_, *record)), std::move(pin)};
}

Result<spec::api::ImageInspect> Store::inspect(const std::string& ref, const InspectOptions& options) const {
  const auto record = TRY(detail::find_variant(*core_, ref, options.platform));
  const auto config = TRY(detail::read_config(*core_, record.id));
  spec::api::ImageInspect inspect;
  inspect.id = record.id.str();
  const auto tagged = TRY(add_names(*core_, record.id, inspect.repo_tags, inspect.repo_digests));
  inspect.parent = config.parent;
  inspect.comment = config.comment;
  inspect.created = config.created;
  inspect.docker_version = config.docker_version;
  inspect.author = config.author;
  inspect.config = config.config;
  inspect.architecture = config.architecture;
  inspect.variant = config.variant;
  inspect.os = config.os;
  inspect.size = static_cast<std::int64_t>(record.size);
  const auto chain_ids = detail::chain_texts(config.diff_ids());
  inspect.graph_driver = TRY(driver_data(*core_, chain_ids.empty() ? std::string{} : chain_ids.back()));
  inspect.root_fs.layers = config.rootfs.diff_ids;
  inspect.metadata.last_tag_time =
      tagged == base::Time{} ? std::string{base::kNever} : base::to_rfc3339(tagged);
  const auto index = TRY(detail::index_of(*core_, ref));
  inspect.descriptor = TRY(detail::target_of(*core_, record, index));
  if (options.manifests) {
    inspect.manifests = TRY(detail::manifest_summaries(*core_, record, index, options.users));
  }
  return inspect;
}

Result<std::vector<spec::api::ImageHistoryItem>> Store::history(const std::string& ref,
                                                                const std::string& platform) const {
  const auto record = TRY(detail::find_variant(*core_, ref, platform));
  const auto config = TRY(detail::read_config(*core_, record.id));
  const auto layers = TRY(core_->records.layers_of(record.id));
  std::vector<spec::api::ImageHistoryItem> items;
  std::size_t layer = 0;
  for (const auto& entry : config.history) {
    spec::api::ImageHistoryItem item;
    item.id = "<missing>";
    item.created = seconds_of(entry.created);
    item.created_by = entry.created_by;
    item.comment = entry.comment;
    if (!entry.empty_layer) {
      if (layer >= layers.size()) return base::internal("too many non-empty layers in History section");
      item.size = static_cast<std::int64_t>(layers[layer++].size);
    }
    items.push_back(std::move(item));
  }
  // A config need not tell its history; the layers are there all the same.
  for (; layer < layers.size(); ++layer) {
    spec::api::ImageHistoryItem item;
    item.id = "<missing>";
    item.created = seconds_of(config.created);
    item.size = static_cast<std::int64_t>(layers[layer].size);
    items.push_back(std::move(item));
  }
  std::reverse(items.begin(), items.end());
  if (!items.empty()) {
    items.front().id = record.id.str();
    std::vector<std::string> tags;
    std::vector<std::string> digests;
    TRY(add_names(*core_, record.id, tags, digests));
    if (!tags.empty()) items.front().tags = std::move(tags);
  }
  return items;
}

}  // namespace image
