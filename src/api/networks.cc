#include <array>

#include "api/router.h"

namespace api {

using base::Result;

namespace {

engine::Networks& networks(Call& call) { return call.services().networks; }

Result<> list(Call& call) {
  codec::Json::Array items = TRY(networks(call).list(TRY(call.filters())));
  codec::Json list{std::move(items)};
  // Who is in it is said by inspect only, from 1.52 on.
  if (call.version() >= Version{1, 52}) {
    for (auto& network : list.items()) {
      std::erase_if(network.members(), [](const auto& member) { return member.first == "Containers"; });
    }
  }
  return call.reply_adapted(200, Shape::Network, std::move(list));
}

Result<> inspect(Call& call) {
  return call.reply_adapted(200, Shape::Network, TRY(networks(call).inspect(call.path("id"), call.flag("verbose"))));
}

Result<> create(Call& call) { return call.reply(201, TRY(networks(call).create(TRY(call.json_body())))); }

Result<> remove(Call& call) {
  TRY(networks(call).remove(call.path("id")));
  return call.reply_empty(204);
}

Result<> connect(Call& call) {
  TRY(networks(call).connect(call.path("id"), TRY(call.json_body())));
  return call.reply_empty(200);
}

Result<> disconnect(Call& call) {
  const auto request = TRY(call.json_body());
  const auto* container = request.find("Container");
  const auto* force = request.find("Force");
  TRY(networks(call).disconnect(call.path("id"), container == nullptr ? "" : container->as_string(),
                                force != nullptr && force->as_bool()));
  return call.reply_empty(200);
}

Result<> prune(Call& call) {
  const auto names = TRY(networks(call).prune(TRY(call.filters())));
  return call.reply(200, codec::Json::object({{"NetworksDeleted", codec::to_json(names)}}));
}

constexpr std::array kRoutes{
    Route{"GET", "/networks", list},
    Route{"POST", "/networks/create", create},
    Route{"POST", "/networks/prune", prune},
    Route{"GET", "/networks/{id}", inspect},
    Route{"DELETE", "/networks/{id}", remove},
    Route{"POST", "/networks/{id}/connect", connect},
    Route{"POST", "/networks/{id}/disconnect", disconnect},
};

}  // namespace

std::span<const Route> network_routes() { return kRoutes; }

}  // namespace api
