/// What docker has and this engine has not: managed plugins, the builder. Their endpoints answer as those of a daemon
/// where nothing of it was ever set up, so that clients which ask in passing get an answer that they know.

#include <array>

#include "api/router.h"
#include "base/strings.h"

namespace api {

using base::Result;

namespace {

Result<> no_plugins(Call& call) { return call.reply(200, codec::Json{codec::Json::Array{}}); }

Result<> no_such_plugin(Call& call) {
  return base::not_found("plugin " + base::quoted(call.path("name")) + " not found");
}

Result<> cannot_install_plugins(Call& /*call*/) {
  return base::not_implemented("managed plugins are not supported by this engine: plugins with sockets of their own are");
}

Result<> no_builder(Call& /*call*/) {
  return base::not_implemented("there is no builder in this engine: build elsewhere and load or pull the image");
}

/// BuildKit's clients ask for it with an upgrade to h2c.
Result<> session(Call& call) {
  if (!call.exchange().request().wants_upgrade()) return base::invalid("no upgrade proto in request");
  return no_builder(call);
}

constexpr std::array kRoutes{
    Route{"POST", "/session", session},
    Route{"POST", "/build", no_builder},
    Route{"POST", "/build/cancel", no_builder},
    Route{"GET", "/plugins", no_plugins},
    Route{"GET", "/plugins/privileges", cannot_install_plugins},
    Route{"POST", "/plugins/pull", cannot_install_plugins},
    Route{"POST", "/plugins/create", cannot_install_plugins},
    Route{"GET", "/plugins/{name...}/json", no_such_plugin},
    Route{"POST", "/plugins/{name...}/enable", no_such_plugin},
    Route{"POST", "/plugins/{name...}/disable", no_such_plugin},
    Route{"POST", "/plugins/{name...}/push", no_such_plugin},
    Route{"POST", "/plugins/{name...}/set", no_such_plugin},
    Route{"POST", "/plugins/{name...}/upgrade", no_such_plugin},
    Route{"DELETE", "/plugins/{name...}", no_such_plugin},
};

}  // namespace

std::span<const Route> absent_routes() { return kRoutes; }

}  // namespace api
