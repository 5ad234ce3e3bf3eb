#include <array>

#include "api/router.h"

namespace api {

using base::Result;

namespace {

engine::Volumes& volumes(Call& call) { return call.services().volumes; }

Result<> list(Call& call) {
  codec::Json::Array items = TRY(volumes(call).list(TRY(call.filters())));
  return call.reply(200, codec::Json::object({{"Volumes", std::move(items)}, {"Warnings", nullptr}}));
}

Result<> inspect(Call& call) { return call.reply(200, TRY(volumes(call).inspect(call.path("name")))); }

Result<> create(Call& call) { return call.reply(201, TRY(volumes(call).create(TRY(call.json_body())))); }

Result<> remove(Call& call) {
  TRY(volumes(call).remove(call.path("name"), call.flag("force")));
  return call.reply_empty(204);
}

/// Only cluster volumes can be changed, and there is no cluster.
Result<> update(Call& /*call*/) {
  return base::unavailable("volume update only valid for cluster volumes, but swarm is unavailable");
}

Result<> prune(Call& call) {
  auto filters = TRY(call.filters());
  // Before 1.42 there was no difference between volumes with and without a name.
  if (call.version() < Version{1, 42}) filters["all"] = {"true"};
  const auto report = TRY(volumes(call).prune(filters));
  return call.reply(200, codec::Json::object({{"VolumesDeleted", codec::to_json(report.ids)},
                                              {"SpaceReclaimed", report.bytes}}));
}

constexpr std::array kRoutes{
    Route{"GET", "/volumes", list},
    Route{"POST", "/volumes/create", create},
    Route{"POST", "/volumes/prune", prune},
    Route{"GET", "/volumes/{name}", inspect},
    Route{"PUT", "/volumes/{name}", update},
    Route{"DELETE", "/volumes/{name}", remove},
};

}  // namespace

std::span<const Route> volume_routes() { return kRoutes; }

}  // namespace api
