#include "engine/volumes_service.h"

#include <array>

#include <fmt/format.h>

#include "base/log.h"
#include "base/strings.h"
#include "engine/filters.h"

namespace engine {

using base::Result;
using codec::Json;

namespace {

struct CreateRequest {
  std::string name, driver;
  std::optional<spec::api::Labels> driver_opts, labels;
};
void describe(auto& v, CreateRequest& r) {
  v("Name", r.name);
  v("Driver", r.driver);
  v("DriverOpts", r.driver_opts);
  v("Labels", r.labels);
}

Json to_api(const volume::Volume& volume) {
  return Json::object({{"CreatedAt", base::to_rfc3339(volume.created, base::Fraction::None)},
                       {"Driver", volume.driver},
                       {"Labels", volume.labels.empty() ? Json{} : codec::to_json(volume.labels)},
                       {"Mountpoint", volume.mountpoint},
                       {"Name", volume.name},
                       {"Options", volume.options.empty() ? Json{} : codec::to_json(volume.options)},
                       {"Scope", "local"}});
}

}  // namespace

Result<std::vector<Json>> VolumesService::list(const Filters& filters) {
  static constexpr std::array<std::string_view, 4> kAllowed{"dangling", "driver", "label", "name"};
  TRY(check_filters(filters, kAllowed));
  const auto dangling = TRY(bool_filter(filters, "dangling"));
  std::vector<Json> out;
  for (const auto& volume : store_.list()) {
    if (!matches_exactly(filters, "driver", volume.driver) || !matches_pattern(filters, "name", volume.name) ||
        !matches_labels(filters, "label", volume.labels)) {
      continue;
    }
    if (dangling && *dangling != users_.users_of_volume(volume.name).empty()) continue;
    out.push_back(to_api(volume));
  }
  return out;
}

Result<std::vector<Json>> VolumesService::disk_usage() {
  std::vector<Json> out;
  for (const auto& volume : store_.list()) {
    // One that can't be measured, as docker says it.
    const auto bytes = store_.usage(volume);
    Json json = to_api(volume);
    json.set("UsageData", Json::object({{"RefCount", static_cast<std::int64_t>(users_.users_of_volume(volume.name).size())},
                                        {"Size", bytes ? static_cast<std::int64_t>(*bytes) : -1}}));
    out.push_back(std::move(json));
  }
  return out;
}

Result<Json> VolumesService::inspect(const std::string& name) { return to_api(TRY(store_.get(name))); }

Result<Json> VolumesService::create(const Json& request) {
  auto wanted = TRY(codec::from_json<CreateRequest>(request));
  const auto created = TRY(store_.create({.name = wanted.name,
                                          .driver = wanted.driver,
                                          .options = wanted.driver_opts.value_or(spec::api::Labels{}),
                                          .labels = wanted.labels.value_or(spec::api::Labels{})}));
  if (created.is_new) {
    events_.publish("volume", "create", created.volume.name, {{"driver", created.volume.driver}});
  }
  return to_api(created.volume);
}

Result<> VolumesService::remove(const std::string& name, bool force) {
  const auto volume = store_.get(name);
  if (!volume) {
    if (force && volume.failed_as(base::ErrorKind::NotFound)) return {};
    return base::Error{volume.error()};
  }
  if (const auto users = users_.users_of_volume(name); !users.empty()) {
    return base::conflict(fmt::format("remove {}: volume is in use - [{}]", name, base::join(users, ", ")));
  }
  TRY(store_.remove(name));
  events_.publish("volume", "destroy", name, {{"driver", volume->driver}});
  return {};
}

Result<PruneReport> VolumesService::prune(const Filters& filters) {
  static constexpr std::array<std::string_view, 3> kAllowed{"all", "label", "label!"};
  TRY(check_filters(filters, kAllowed));
  const bool all = TRY(bool_filter(filters, "all")).value_or(false);
  PruneReport report;
  for (const auto& volume : store_.list()) {
    if ((!all && !volume.anonymous()) || !is_prunable(filters, volume.labels)) continue;
    if (!users_.users_of_volume(volume.name).empty()) continue;
    const auto bytes = store_.usage(volume);
    if (const auto removed = remove(volume.name, false); !removed) {
      base::log::warn("prune: {}", removed.error().message());
      continue;
    }
    report.ids.push_back(volume.name);
    report.bytes += bytes.value_or(0);
  }
  events_.publish("volume", "prune", "", {{"reclaimed", std::to_string(report.bytes)}});
  return report;
}

}  // namespace engine
