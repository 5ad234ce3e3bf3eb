#include "engine/cgroup_driver.h"

#include <fmt/format.h>

#include "base/strings.h"

namespace engine {

base::Result<cgroup::Driver> cgroup_driver(const std::vector<std::string>& exec_opts, const HostFacts& facts) {
  // The first counts; other options are other runtimes'.
  for (const auto& option : exec_opts) {
    const auto pair = base::cut(option, "=");
    if (!pair) return base::invalid("unable to parse key/value option: " + option);
    if (!base::equal_ignoring_case(pair->first, "native.cgroupdriver")) continue;
    if (pair->second == "systemd") return cgroup::Driver::Systemd;
    if (pair->second == "cgroupfs") return cgroup::Driver::Cgroupfs;
    return base::invalid(fmt::format("native.cgroupdriver option {} not supported", pair->second));
  }
  return facts.cgroup_v2 && facts.systemd ? cgroup::Driver::Systemd : cgroup::Driver::Cgroupfs;
}

std::string_view name_of(cgroup::Driver driver) { return driver == cgroup::Driver::Systemd ? "systemd" : "cgroupfs"; }

base::Result<> check_cgroup_parent(std::string_view parent, cgroup::Driver driver) {
  if (parent.empty() || driver != cgroup::Driver::Systemd) return {};
  if (cgroup::expand_slice(parent)) return {};
  return base::invalid("cgroup-parent for systemd cgroup should be a valid slice named as \"xxx.slice\"");
}

}  // namespace engine
