#pragma once
/// Where the API is served, from --host and its company.

#include <string>
#include <vector>

#include "cmd/caissond/config.h"
#include "http/listener.h"

namespace caissond {

/// dockerd's short forms in full: "tcp://" → "tcp://localhost:2375", "tcp://:4000" → "tcp://0.0.0.0:4000", "unix://" →
/// the socket's usual place, "host:port" → "tcp://host:port". Errors: InvalidArgument.
base::Result<std::string> full_host(std::string_view host, const Config& config);

/// Opens all of them. Errors: those of http::listen_on; NotFound for a group that is not there.
base::Result<std::vector<http::Listener>> open_listeners(const Config& config);

/// Where the metrics are served; empty without metrics-addr.
base::Result<std::vector<http::Listener>> open_metrics_listeners(const Config& config);

}  // namespace caissond
