#include <array>

#include "api/router.h"

namespace api {

using base::Result;

namespace {

engine::Registries& registries(Call& call) { return call.services().registries; }

Result<engine::RemoteName> remote_name(Call& call) {
  return engine::RemoteName{
      .name = call.path("name"), .insecure = call.flag("insecure"), .auth = TRY(call.registry_auth())};
}

Result<> log_in(Call& call) {
  const auto body = TRY(call.body<spec::api::AuthConfig>());
  const engine::RegistryAuth auth{.username = body.username,
                                  .password = body.password,
                                  .server_address = body.server_address,
                                  .identity_token = body.identity_token,
                                  .registry_token = body.registry_token};
  return call.reply(200, TRY(registries(call).log_in(auth, call.exchange().stop_token())));
}

Result<> search(Call& call) {
  const auto limit = TRY(call.integer("limit")).value_or(0);
  // Outside of int it is outside of the range, too.
  const int bounded = limit < 0 ? -1 : limit > 1000 ? 1000 : static_cast<int>(limit);
  return call.reply(200, TRY(registries(call).search(call.text("term"), bounded, TRY(call.filters()),
                                                     TRY(call.registry_auth()), call.exchange().stop_token())));
}

Result<> inspect(Call& call) {
  return call.reply(200, TRY(registries(call).inspect(TRY(remote_name(call)), call.exchange().stop_token())));
}

Result<> manifest(Call& call) {
  return call.reply(200, TRY(registries(call).manifest(TRY(remote_name(call)), call.exchange().stop_token())));
}

Result<> push_index(Call& call) {
  const auto name = TRY(remote_name(call));
  const auto push = TRY(call.body<spec::api::IndexPush>());
  return call.reply(200, TRY(registries(call).push_index(name, push, call.exchange().stop_token())));
}

constexpr std::array kRoutes{
    Route{"POST", "/auth", log_in},
    Route{"GET", "/images/search", search},
    Route{"GET", "/distribution/{name...}/json", inspect, {1, 30}},
    // This engine's own: docker's client speaks to the registry by itself for these.
    Route{"GET", "/distribution/{name...}/manifest", manifest},
    Route{"POST", "/distribution/{name...}/manifest", push_index},
};

}  // namespace

std::span<const Route> registry_routes() { return kRoutes; }

}  // namespace api
