#include <fmt/format.h>

#include "cgroup/cgroup.h"
#include "cgroup/detail/apply.h"
#include "cgroup/detail/files.h"

namespace cgroup {

using base::Result;

namespace {

bool wants_memory(const Resources& r) {
  return r.memory_limit || r.memory_reservation || r.memory_and_swap || r.swappiness || r.kernel_tcp_limit ||
         r.disable_oom_killer.value_or(false) || !r.use_hierarchy.value_or(true);
}
/// What holds where nobody changed it: a host without the controller gives it as well.
bool wants_usual_memory(const Resources& r) { return r.disable_oom_killer || r.use_hierarchy; }
bool wants_cpu(const Resources& r) {
  return r.cpu_shares || r.cpu_quota || r.cpu_period || r.cpu_burst || r.cpu_idle || r.realtime_runtime ||
         r.realtime_period;
}
bool wants_cpuset(const Resources& r) { return !r.cpus.empty() || !r.mems.empty(); }
bool wants_io(const Resources& r) {
  return r.io_weight || r.io_leaf_weight || !r.io_device_weights.empty() || !r.read_bytes.empty() || !r.write_bytes.empty() ||
         !r.read_operations.empty() || !r.write_operations.empty();
}

using Apply = Result<> (*)(const std::string& directory, const Resources& wanted);

}  // namespace

Result<> Cgroup::apply(const Resources& resources) {
  Resources wanted = resources;
  if (unit_) TRY(set_unit_properties(wanted));
  return write_limits(wanted);
}

Result<> Cgroup::write_limits(const Resources& r) {
  struct Row {
    bool wanted;
    std::string_view controller;
    Apply v1;
    Apply v2;
  };
  using namespace detail;
  const Row rows[] = {
      {wants_memory(r) || (wants_usual_memory(r) && place_of("memory") != nullptr), "memory", apply_memory_v1, apply_memory_v2},
      {wants_cpu(r), "cpu", apply_cpu_v1, apply_cpu_v2},
      {wants_cpuset(r), "cpuset", apply_cpuset, apply_cpuset},
      {r.pids_limit.has_value(), "pids", apply_pids, apply_pids},
      {wants_io(r), "blkio", apply_io_v1, apply_io_v2},
      {!r.hugepages.empty(), "hugetlb",
       [](const std::string& d, const Resources& w) { return apply_hugepages(d, w, false); },
       [](const std::string& d, const Resources& w) { return apply_hugepages(d, w, true); }},
      {r.net_class.has_value(), "net_cls", apply_net_class, nullptr},
      {!r.net_priority.empty(), "net_prio", apply_net_priority, nullptr},
      {!r.rdma.empty(), "rdma", apply_rdma, apply_rdma},
      {r.devices.has_value(), "devices", apply_devices_v1, apply_devices_v2},
  };
  for (const auto& row : rows) {
    if (!row.wanted) continue;
    const auto* place = place_of(row.controller);
    const Apply write = place == nullptr ? nullptr : place->hierarchy.v2 ? row.v2 : row.v1;
    // Who is not root may not change what devices its processes use, and can't make nodes either.
    const bool optional = rootless_ && row.controller == "devices";
    if (write == nullptr) {
      if (optional) continue;
      return lacks(row.controller);
    }
    auto written = write(place->directory, r).context(fmt::format("set {} limits", row.controller));
    if (written.failed_as(base::ErrorKind::NotFound) && place->hierarchy.v2) {
      const std::string_view name = row.controller == "blkio" ? "io" : row.controller;
      // Not handed down, by the kernel's choice (cpu, with real-time processes about) or the administrator's.
      if (!TRY(has_controller(place->directory, name))) {
        return base::not_implemented(fmt::format("the {} controller is not available in {}: the cgroups above it do not "
                                                 "hand it down in cgroup.subtree_control", name, place->directory));
      }
    }
    if (!optional) TRY(std::move(written));
  }
  if (!r.unified.empty()) {
    if (places_.empty()) return lacks("unified");
    // On v1 there is nothing that these could mean.
    if (place_of("memory") == nullptr || !place_of("memory")->hierarchy.v2) {
      return base::not_implemented("invalid configuration: unified resources need cgroup v2");
    }
    TRY(apply_unified(v2_place()->directory, r).context("set unified limits"));
  }
  return {};
}

base::Error Cgroup::lacks(std::string_view controller) const {
  if (refusal_.empty()) return base::not_implemented(fmt::format("this host has no {} cgroup controller", controller));
  if (places_.empty()) {
    return base::internal("rootless needs no limits + no cgrouppath when no permission is granted for cgroups: " + refusal_);
  }
  return base::internal(fmt::format("cannot set {} limit: container could not join or create cgroup", controller));
}

Result<> Cgroup::check_memory_in_use(const Resources& wanted) const {
  const auto* place = place_of("memory");
  return place == nullptr ? Result<>{} : detail::check_memory_in_use(place->directory, wanted, place->hierarchy.v2);
}

}  // namespace cgroup
