#pragma once
/// Devices, their throttles, GPUs and ulimits: the flags' grammars with docker's messages. Pure.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "spec/engine/container.h"

namespace cli {

/// "/dev/x[:/dev/y][:rwm]". Errors: InvalidArgument.
base::Result<spec::api::DeviceMapping> parse_device(std::string_view text);
/// "vendor.com/class=name": a device of the Container Device Interface.
[[nodiscard]] bool is_cdi_device(std::string_view text);

// For flags::custom.
base::Result<> add_device_cgroup_rule(std::vector<std::string>& rules, std::string_view text);
base::Result<> add_throttle_bps(std::vector<spec::api::ThrottleDevice>& devices, std::string_view text);
base::Result<> add_throttle_iops(std::vector<spec::api::ThrottleDevice>& devices, std::string_view text);
base::Result<> add_weight(std::vector<spec::api::WeightDevice>& devices, std::string_view text);
/// Sorted by name, the last one of a name wins.
base::Result<> add_ulimit(std::vector<spec::api::Ulimit>& ulimits, std::string_view text);
/// "all", "2", "device=0,capabilities=utility".
base::Result<> add_gpus(std::vector<spec::api::DeviceRequest>& requests, std::string_view text);

/// Docker's normal form: upper case, "CAP_" in front, sorted, without those that are also added.
struct Capabilities {
  std::vector<std::string> add, drop;
};
[[nodiscard]] Capabilities normalised_capabilities(const std::vector<std::string>& add,
                                                   const std::vector<std::string>& drop);

}  // namespace cli
