#pragma once
/// D-Bus values from JSON ones.

#include <string_view>

#include <systemd/sd-bus.h>

#include "base/result.h"
#include "codec/json.h"

namespace caisson_systemd {

/// Appends one value of the type `signature`, in the form that cgroup::UnitProperty describes. Errors: InvalidArgument.
base::Result<> append(sd_bus_message* message, std::string_view signature, const codec::Json& value);

}  // namespace caisson_systemd
