#pragma once
/// The daemon at work: engine, API, signals.

#include <span>

#include "cmd/caissond/config.h"
#include "sys/service_manager.h"

namespace caissond {

/// Serves until SIGTERM or SIGINT, or until SIGUSR2 hands over to the next program (handover.h). SIGHUP reads the configuration again, from the same `arguments`. While the daemon
/// ends, the third signal of that kind ends it at once.
base::Result<> serve(Config& config, std::span<char* const> arguments, const sys::ServiceManager& manager);

void apply_log_settings(const Config& config);

}  // namespace caissond
