#pragma once
/// How a container ended, also when the daemon went away and came back meanwhile.

#include <chrono>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "cli/cli.h"
#include "client/containers.h"

namespace cli {

/// Waits until it does not run. Errors: NotFound; Unavailable when no daemon came back.
base::Result<spec::api::WaitResponse> wait_for_exit(Cli& cli, client::Client& client,
                                                    const std::string& name);

/// What the events tell of the last end since `since`: for a container that is removed already.
/// Errors: NotFound when they tell nothing.
base::Result<spec::api::WaitResponse> exit_from_events(client::Client& client, const std::string& id,
                                                       base::Time since);

/// "1795214129.000000001": a time as the API's since and until take it.
[[nodiscard]] std::string api_time(base::Time time);

}  // namespace cli
