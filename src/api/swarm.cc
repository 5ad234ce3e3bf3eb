/// Swarm is not here: its endpoints answer as those of a node that is in no swarm, which is what clients are prepared for.
#include <array>

#include "api/router.h"

namespace api {

using base::Result;

namespace {

constexpr std::string_view kNoManager =
    R"(This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.)";

Result<> no_manager(Call& /*call*/) { return base::unavailable(std::string{kNoManager}); }
Result<> leave(Call& /*call*/) { return base::unavailable("This node is not part of a swarm"); }
Result<> unsupported(Call& /*call*/) { return base::not_implemented("swarm mode is not supported by this engine"); }

constexpr std::array kRoutes{
    Route{"POST", "/swarm/init", unsupported},
    Route{"POST", "/swarm/join", unsupported},
    Route{"POST", "/swarm/leave", leave},
    Route{"GET", "/swarm", no_manager},
    Route{"GET", "/swarm/unlockkey", no_manager},
    Route{"POST", "/swarm/update", no_manager},
    Route{"POST", "/swarm/unlock", no_manager},
    Route{"GET", "/nodes", no_manager},
    Route{"GET", "/nodes/{id}", no_manager},
    Route{"DELETE", "/nodes/{id}", no_manager},
    Route{"POST", "/nodes/{id}/update", no_manager},
    Route{"GET", "/services", no_manager},
    Route{"POST", "/services/create", no_manager},
    Route{"GET", "/services/{id}", no_manager},
    Route{"DELETE", "/services/{id}", no_manager},
    Route{"POST", "/services/{id}/update", no_manager},
    Route{"GET", "/services/{id}/logs", no_manager},
    Route{"GET", "/tasks", no_manager},
    Route{"GET", "/tasks/{id}", no_manager},
    Route{"GET", "/tasks/{id}/logs", no_manager},
    Route{"GET", "/secrets", no_manager},
    Route{"POST", "/secrets/create", no_manager},
    Route{"GET", "/secrets/{id}", no_manager},
    Route{"DELETE", "/secrets/{id}", no_manager},
    Route{"POST", "/secrets/{id}/update", no_manager},
    Route{"GET", "/configs", no_manager},
    Route{"POST", "/configs/create", no_manager},
    Route{"GET", "/configs/{id}", no_manager},
    Route{"DELETE", "/configs/{id}", no_manager},
    Route{"POST", "/configs/{id}/update", no_manager},
};

}  // namespace

std::span<const Route> swarm_routes() { return kRoutes; }

}  // namespace api
