/// Limits and devices.
#include <fmt/format.h>

#include "cli/as_run/flag_words.h"

namespace cli {

using spec::api::Resources;
using spec::api::StringList;

namespace {

/// "1.5" of 1.5e9: without what a double would round.
std::string cpus(std::int64_t nano) {
  std::string out = fmt::format("{}.{:09}", nano / 1'000'000'000, nano % 1'000'000'000);
  out.erase(out.find_last_not_of('0') + 1);
  if (out.ends_with('.')) out.pop_back();
  return out;
}

void add_throttles(FlagWords& words, std::string_view name,
                   const std::optional<std::vector<spec::api::ThrottleDevice>>& devices) {
  for (const auto& device : devices.value_or(std::vector<spec::api::ThrottleDevice>{})) {
    words.add(name, fmt::format("{}:{}", device.path, device.rate));
  }
}

void add_devices(FlagWords& words, const Resources& r) {
  for (const auto& device : r.devices.value_or(std::vector<spec::api::DeviceMapping>{})) {
    words.add("device", fmt::format("{}:{}:{}", device.path_on_host, device.path_in_container,
                                    device.cgroup_permissions));
  }
  for (const auto& request : r.device_requests.value_or(std::vector<spec::api::DeviceRequest>{})) {
    const StringList ids = request.device_ids.value_or(StringList{});
    if (request.driver == "cdi") {
      for (const auto& id : ids) words.add("device", id);
      continue;
    }
    std::string value = ids.empty() ? (request.count < 0 ? "count=all" : fmt::format("count={}", request.count))
                                    : "\"device=";
    for (std::size_t i = 0; i < ids.size(); ++i) value += (i == 0 ? "" : ",") + ids[i];
    if (!ids.empty()) value += '"';
    if (!request.driver.empty()) value += ",driver=" + request.driver;
    words.add("gpus", value);
  }
  words.list("device-cgroup-rule", r.device_cgroup_rules);
}

}  // namespace

void add_resource_flags(FlagWords& words, const Resources& r) {
  words.number("memory", r.memory);
  words.number("memory-reservation", r.memory_reservation);
  // Twice the memory is what a limit alone means.
  if (r.memory_swap != 0 && r.memory_swap != 2 * r.memory) words.number("memory-swap", r.memory_swap);
  if (r.memory_swappiness && *r.memory_swappiness != -1) {
    words.add("memory-swappiness", fmt::to_string(*r.memory_swappiness));
  }
  words.flag("oom-kill-disable", r.oom_kill_disable.value_or(false));
  words.number("pids-limit", r.pids_limit.value_or(0));
  if (r.nano_cpus != 0) words.add("cpus", cpus(r.nano_cpus));
  words.number("cpu-shares", r.cpu_shares);
  words.number("cpu-period", r.cpu_period);
  words.number("cpu-quota", r.cpu_quota);
  words.number("cpu-rt-period", r.cpu_realtime_period);
  words.number("cpu-rt-runtime", r.cpu_realtime_runtime);
  words.text("cpuset-cpus", r.cpuset_cpus);
  words.text("cpuset-mems", r.cpuset_mems);
  words.text("cgroup-parent", r.cgroup_parent);
  words.number("blkio-weight", r.blkio_weight);
  for (const auto& device : r.blkio_weight_device.value_or(std::vector<spec::api::WeightDevice>{})) {
    words.add("blkio-weight-device", fmt::format("{}:{}", device.path, device.weight));
  }
  add_throttles(words, "device-read-bps", r.blkio_device_read_bps);
  add_throttles(words, "device-write-bps", r.blkio_device_write_bps);
  add_throttles(words, "device-read-iops", r.blkio_device_read_iops);
  add_throttles(words, "device-write-iops", r.blkio_device_write_iops);
  for (const auto& limit : r.ulimits.value_or(std::vector<spec::api::Ulimit>{})) {
    words.add("ulimit", fmt::format("{}={}:{}", limit.name, limit.soft, limit.hard));
  }
  add_devices(words, r);
}

}  // namespace cli
