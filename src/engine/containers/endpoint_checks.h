#pragma once
/// What a client asks of a place in a network, looked at before anything is made.

#include <string>

#include "base/result.h"
#include "net/manager.h"
#include "spec/engine/container.h"

namespace engine {

/// `network` is what the container calls it; it need not exist yet. Errors: InvalidArgument
/// "invalid config for network x: invalid endpoint settings:\n…", in docker's words.
base::Result<> check_endpoint(const net::Manager& networks, const std::string& network,
                              const spec::api::EndpointSettings& settings);

}  // namespace engine
