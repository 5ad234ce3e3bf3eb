/// GET /system/df: as lists until API 1.51, as totals from 1.52 on.

#include <algorithm>
#include <array>

#include "api/router.h"

namespace api {

using base::Result;

namespace {

/// What was asked for; empty otherwise.
struct DiskUsage {
  bool has_images = false;
  engine::ImageDiskUsage images;
  std::optional<std::vector<spec::api::ContainerSummary>> containers;
  std::optional<std::vector<codec::Json>> volumes;
  bool build_cache = false;  ///< there never is any
  codec::Json disk;          ///< our own: the data root by what its bytes are for
};

codec::Json images_json(const engine::ImageDiskUsage& usage, Version version) {
  auto images = codec::to_json(usage.images);
  for (auto& image : images.items()) adapt_image(image, Shape::ImageSummary, version);
  return images;
}

codec::Json containers_json(const std::vector<spec::api::ContainerSummary>& containers, Version version) {
  auto json = codec::to_json(containers);
  adapt_all(json, Shape::ContainerSummary, version);
  return json;
}

/// The lists of before 1.52.
codec::Json listed(DiskUsage usage, Version version) {
  codec::Json answer = codec::Json::object({{"LayersSize", usage.images.layers}, {"Images", codec::Json{}}, {"Containers", codec::Json{}},
                                            {"Volumes", codec::Json{}}, {"BuildCache", codec::Json{}}});
  if (version < Version{1, 44}) answer.set("BuilderSize", 0);
  if (usage.has_images) answer.set("Images", images_json(usage.images, version));
  if (usage.containers) answer.set("Containers", containers_json(*usage.containers, version));
  if (usage.volumes) answer.set("Volumes", codec::Json{std::move(*usage.volumes)});
  if (usage.build_cache) answer.set("BuildCache", codec::Json{codec::Json::Array{}});
  if (usage.has_images) answer.set("Disk", std::move(usage.disk));
  return answer;
}

Usage usage_of(const engine::ImageDiskUsage& images, Version version) {
  const auto layers = static_cast<std::int64_t>(images.layers);
  Usage usage{.items = images_json(images, version), .size = layers};
  std::int64_t used = 0;
  for (const auto& image : images.images) {
    if (image.containers <= 0) continue;
    ++usage.active;
    used += image.size - std::max<std::int64_t>(image.shared_size, 0);
  }
  usage.reclaimable = std::max<std::int64_t>(layers - used, 0);
  return usage;
}

Usage usage_of(const std::vector<spec::api::ContainerSummary>& containers, Version version) {
  Usage usage{.items = containers_json(containers, version)};
  for (const auto& container : containers) {
    const auto size = container.size_rw.value_or(0);
    const bool active = container.state == "running" || container.state == "paused" || container.state == "restarting";
    usage.size += size;
    (active ? usage.active : usage.reclaimable) += active ? 1 : size;
  }
  return usage;
}

Usage usage_of(std::vector<codec::Json> volumes) {
  Usage usage;
  for (const auto& volume : volumes) {
    const auto size = std::max<std::int64_t>(volume["UsageData"]["Size"].as_int(), 0);
    const bool active = volume["UsageData"]["RefCount"].as_int() > 0;
    usage.size += size;
    (active ? usage.active : usage.reclaimable) += active ? 1 : size;
  }
  usage.items = codec::Json{std::move(volumes)};
  return usage;
}

/// Totals, and the lists on demand, from 1.52 on.
codec::Json totals(DiskUsage usage, Version version, bool verbose) {
  codec::Json answer{codec::Json::Object{}};
  if (usage.has_images) answer.set("ImageUsage", usage_json(usage_of(usage.images, version), verbose));
  if (usage.containers) answer.set("ContainerUsage", usage_json(usage_of(*usage.containers, version), verbose));
  if (usage.volumes) answer.set("VolumeUsage", usage_json(usage_of(std::move(*usage.volumes)), verbose));
  if (usage.build_cache) answer.set("BuildCacheUsage", usage_json({.items = codec::Json{codec::Json::Array{}}}, verbose));
  if (usage.has_images) answer.set("Disk", std::move(usage.disk));
  return answer;
}

/// What one `type` of the query asks for; all without any.
Result<> disk_usage(Call& call) {
  constexpr std::array<std::string_view, 4> kTypes{"container", "image", "volume", "build-cache"};
  const auto types = call.exchange().request().query.all("type");
  for (const auto& type : types) {
    if (std::ranges::find(kTypes, type) == kTypes.end()) return base::invalid("unknown object type: " + type);
  }
  const auto wanted = [&](std::string_view type) {
    return types.empty() || std::ranges::find(types, type) != types.end();
  };
  DiskUsage usage;
  if (wanted("image")) {
    usage.images = TRY(call.services().images.disk_usage());
    usage.has_images = true;
    usage.disk = codec::to_json(TRY(call.services().system.disk_space()));
  }
  if (wanted("container")) usage.containers = TRY(call.services().containers.list({.all = true, .size = true}));
  if (wanted("volume")) usage.volumes = TRY(call.services().volumes.disk_usage());
  usage.build_cache = wanted("build-cache");
  if (call.version() < Version{1, 52}) return call.reply(200, listed(std::move(usage), call.version()));
  return call.reply(200, totals(std::move(usage), call.version(), call.flag("verbose")));
}

constexpr std::array kRoutes{
    Route{"GET", "/system/df", disk_usage},
};

}  // namespace

std::span<const Route> disk_usage_routes() { return kRoutes; }

}  // namespace api
