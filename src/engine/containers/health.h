#pragma once
/// A container's health, which its shim finds out: what the shim is told, and what becomes of its reports.

#include <memory>
#include <optional>

#include "base/result.h"
#include "engine/containers/core.h"
#include "shim/protocol.h"

namespace engine {

class Run;

/// Errors: InvalidArgument, those of prepare_exec.
base::Result<std::optional<shim::HealthCheck>> prepare_health(Core& core, const Record& record);

/// docker's events of an exec, for a probe that is a process. On the reactor's thread, as the next one.
void publish_probe_start(Core& core, const Record& record, const std::string& exec);
void publish_probe_end(Core& core, const Record& record, const std::string& exec, int code);

/// What the shim reports: remembered, and an event if the status is a new one. A container that has become
/// unhealthy and wants it (HostConfig.HealthRestart) is stopped, as its stop signal and timeout say, and
/// started again after the back-off of restart policies.
void take_health(Core& core, const ContainerPtr& container, const std::shared_ptr<Run>& run,
                 const spec::api::Health& health, bool changed);

/// "none", "starting", "healthy", "unhealthy"; of one that does not run: "none".
[[nodiscard]] std::string health_status(const Record& record);

}  // namespace engine
