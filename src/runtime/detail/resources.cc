#include "runtime/detail/resources.h"

#include <fmt/format.h>

#include "base/strings.h"

namespace runtime::detail {

using base::Result;

namespace {

Result<std::uint32_t> device_number(std::int64_t number) {
  if (number < 0 || number > INT32_MAX) return base::invalid(fmt::format("invalid device number {}", number));
  return static_cast<std::uint32_t>(number);
}

/// Absent and -1 both stand for "any".
Result<std::optional<std::uint32_t>> device_pattern(const std::optional<std::int64_t>& number) {
  if (!number || *number == -1) return std::optional<std::uint32_t>{};
  const std::uint32_t value = TRY(device_number(*number));
  return std::optional{value};
}

Result<cgroup::DeviceRule> device_rule(const spec::oci::DeviceRule& rule) {
  cgroup::DeviceRule out;
  out.allow = rule.allow;
  if (rule.type.size() > 1 || (rule.type.size() == 1 && std::string_view{"abc"}.find(rule.type[0]) == std::string_view::npos)) {
    return base::invalid("invalid device type " + base::quoted(rule.type));
  }
  out.type = rule.type.empty() ? 'a' : rule.type[0];
  out.major = TRY(device_pattern(rule.major));
  out.minor = TRY(device_pattern(rule.minor));
  if (rule.access.find_first_not_of("rwma") != std::string::npos) {
    return base::invalid("invalid device access " + base::quoted(rule.access));
  }
  const bool all = rule.access.empty() || rule.access.contains('a');
  const auto has = [&](char c) { return all || rule.access.find(c) != std::string::npos; };
  out.read = has('r');
  out.write = has('w');
  out.mknod = has('m');
  return out;
}

std::vector<cgroup::DeviceRule> always_allowed() {
  std::vector<cgroup::DeviceRule> rules;
  // Making a node is no access to the device.
  rules.push_back({.allow = true, .type = 'c', .read = false, .write = false});
  rules.push_back({.allow = true, .type = 'b', .read = false, .write = false});
  struct Number {
    std::uint32_t major;
    std::optional<std::uint32_t> minor;
  };
  const Number numbers[] = {{1, 3}, {1, 5}, {1, 7}, {1, 8}, {1, 9}, {5, 0}, {5, 1}, {5, 2}, {136, {}}};
  for (const auto& one : numbers) {
    rules.push_back({.allow = true, .type = 'c', .major = one.major, .minor = one.minor});
  }
  return rules;
}

Result<std::vector<cgroup::DeviceRate>> rates(const std::vector<spec::oci::ThrottleDevice>& wanted) {
  std::vector<cgroup::DeviceRate> out;
  for (const auto& one : wanted) {
    const std::uint32_t major = TRY(device_number(one.major));
    const std::uint32_t minor = TRY(device_number(one.minor));
    out.push_back({{major, minor}, one.rate});
  }
  return out;
}

Result<> block_io(const spec::oci::BlockIoResources& wanted, cgroup::Resources& out) {
  out.io_weight = wanted.weight;
  out.io_leaf_weight = wanted.leaf_weight;
  for (const auto& one : wanted.weight_device) {
    const std::uint32_t major = TRY(device_number(one.major));
    const std::uint32_t minor = TRY(device_number(one.minor));
    out.io_device_weights.push_back({{major, minor}, one.weight.value_or(0), one.leaf_weight.value_or(0)});
  }
  out.read_bytes = TRY(rates(wanted.throttle_read_bps));
  out.write_bytes = TRY(rates(wanted.throttle_write_bps));
  out.read_operations = TRY(rates(wanted.throttle_read_iops));
  out.write_operations = TRY(rates(wanted.throttle_write_iops));
  return {};
}

void memory(const spec::oci::MemoryResources& wanted, cgroup::Resources& out) {
  // 0 is "not set" for all of these: what docker sends for "no limit".
  const auto given = [](const std::optional<std::int64_t>& value) {
    return value && *value != 0 ? value : std::optional<std::int64_t>{};
  };
  out.memory_limit = given(wanted.limit);
  out.memory_reservation = given(wanted.reservation);
  out.memory_and_swap = given(wanted.swap);
  out.kernel_tcp_limit = given(wanted.kernel_tcp);
  // -1, as engines write "not set".
  if (wanted.swappiness && *wanted.swappiness != UINT64_MAX) out.swappiness = wanted.swappiness;
  out.disable_oom_killer = wanted.disable_oom_killer;
  out.use_hierarchy = wanted.use_hierarchy;
  out.check_before_update = wanted.check_before_update.value_or(false);
}

void cpu(const spec::oci::CpuResources& wanted, cgroup::Resources& out) {
  const auto positive = [](const std::optional<std::uint64_t>& value) {
    return value && *value != 0 ? value : std::optional<std::uint64_t>{};
  };
  out.cpu_shares = positive(wanted.shares);
  if (wanted.quota.value_or(0) != 0) out.cpu_quota = wanted.quota;
  out.cpu_period = positive(wanted.period);
  out.cpu_burst = wanted.burst;
  out.cpu_idle = wanted.idle;
  if (wanted.realtime_runtime.value_or(0) != 0) out.realtime_runtime = wanted.realtime_runtime;
  out.realtime_period = positive(wanted.realtime_period);
  out.cpus = wanted.cpus;
  out.mems = wanted.mems;
}

Result<std::vector<cgroup::DeviceRule>> device_rules(const spec::oci::Resources& wanted) {
  std::vector<cgroup::DeviceRule> rules;
  for (const auto& one : wanted.devices) rules.push_back(TRY(device_rule(one)));
  for (auto& one : always_allowed()) rules.push_back(one);
  return rules;
}

Result<cgroup::Resources> limits(const spec::oci::Resources& wanted) {
  cgroup::Resources out;
  if (wanted.memory) memory(*wanted.memory, out);
  if (wanted.cpu) cpu(*wanted.cpu, out);
  if (wanted.pids) out.pids_limit = wanted.pids->limit;
  if (wanted.block_io) TRY(block_io(*wanted.block_io, out));
  for (const auto& one : wanted.hugepage_limits) out.hugepages.push_back({one.page_size, one.limit});
  if (wanted.network) {
    if (wanted.network->class_id.value_or(0) != 0) out.net_class = wanted.network->class_id;
    for (const auto& one : wanted.network->priorities) out.net_priority[one.name] = one.priority;
  }
  for (const auto& [device, limits] : wanted.rdma) {
    std::string text;
    if (limits.hca_handles) text += fmt::format("hca_handle={} ", *limits.hca_handles);
    if (limits.hca_objects) text += fmt::format("hca_object={}", *limits.hca_objects);
    out.rdma[device] = std::string{base::trim(text)};
  }
  out.unified = wanted.unified;
  return out;
}

}  // namespace

Result<cgroup::Resources> resources_for_update(const spec::oci::Resources& wanted, bool v2) {
  cgroup::Resources out = TRY(limits(wanted));
  if (v2 && !wanted.devices.empty()) out.devices = TRY(device_rules(wanted));
  return out;
}

Result<cgroup::Resources> resources_for_create(const spec::oci::Resources& wanted) {
  cgroup::Resources out = TRY(limits(wanted));
  out.devices = TRY(device_rules(wanted));
  return out;
}

}  // namespace runtime::detail
