#pragma once
/// A container's Healthcheck: what its image and its user ask for → what its shim is told.
///
///   test            a probe is
///   NONE, nothing   (no health check)
///   CMD arg…        the command, in the container
///   CMD-SHELL text  the image's shell with it, else /bin/sh -c
///   HTTP url        a GET from the container's network namespace; not docker's
///   TCP host:port   a connection from there; not docker's
///
/// Pure.

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "shim/health.h"
#include "spec/engine/container.h"

namespace engine {

/// With docker's defaults: every 30 s, 30 s of patience, 3 retries, no start period, 5 s between probes in
/// one. Without `process`. nullopt: no health check. Errors: InvalidArgument.
base::Result<std::optional<shim::HealthCheck>> parse_health_check(const spec::api::ContainerConfig& config);

/// The command line of a probe that is a process, {} else.
[[nodiscard]] std::vector<std::string> health_command(const spec::api::ContainerConfig& config);

}  // namespace engine
