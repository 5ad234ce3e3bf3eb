#include <algorithm>

#include <fmt/format.h>

#include "base/strings.h"
#include "cgroup/detail/apply.h"
#include "cgroup/detail/files.h"
#include "cgroup/detail/systemd_devices.h"
#include "sys/file.h"

namespace cgroup::detail {

using base::Result;

namespace {

constexpr std::string_view kLimit = "memory.limit_in_bytes";
constexpr std::string_view kLimitWithSwap = "memory.memsw.limit_in_bytes";

template <class T>
Result<> write_if(const std::string& directory, std::string_view file, const std::optional<T>& value) {
  return value ? write(directory, file, fmt::format("{}", *value)) : Result<>{};
}

/// A setting that this kernel may lack. Errors: NotImplemented, with its name.
template <class T>
Result<> write_if_kernel_has(const std::string& directory, std::string_view file, const std::optional<T>& value) {
  auto written = write_if(directory, file, value);
  if (!written.failed_as(base::ErrorKind::NotFound)) return written;
  return base::not_implemented(fmt::format("this kernel has no {}", file));
}

Result<> write_limit(const std::string& directory, std::int64_t bytes) {
  auto written = write(directory, kLimit, fmt::format("{}", bytes));
  if (written || written.error().errno_value() != EBUSY) return written;
  return base::conflict(fmt::format("unable to set memory limit to {} (current usage: {}, peak usage: {})", bytes,
                                    number_or_zero(directory, "memory.usage_in_bytes"),
                                    number_or_zero(directory, "memory.max_usage_in_bytes")));
}

Result<> write_swap(const std::string& directory, std::int64_t bytes) {
  auto written = write(directory, kLimitWithSwap, fmt::format("{}", bytes));
  if (written.failed_as(base::ErrorKind::NotFound)) {
    return base::not_implemented("swap limits need swap accounting (boot with swapaccount=1)");
  }
  return written;
}

/// The kernel keeps limit <= limit with swap at every moment, so growing starts with the latter.
Result<> write_memory_and_swap(const std::string& directory, const Resources& wanted) {
  std::optional<std::int64_t> swap = wanted.memory_and_swap;
  if (wanted.memory_limit == -1 && !swap && TRY(has_file(directory, kLimitWithSwap))) swap = -1;
  if (!wanted.memory_limit || !swap) {
    if (wanted.memory_limit) TRY(write_limit(directory, *wanted.memory_limit));
    return swap ? write_swap(directory, *swap) : Result<>{};
  }
  if (*swap > 0 && *wanted.memory_limit > *swap) return base::invalid("memory+swap limit should be >= memory limit");
  const std::uint64_t present = TRY(read_number(directory, kLimit));
  if (*swap == -1 || present < static_cast<std::uint64_t>(*swap)) {
    TRY(write_swap(directory, *swap));
    return write_limit(directory, *wanted.memory_limit);
  }
  TRY(write_limit(directory, *wanted.memory_limit));
  return write_swap(directory, *swap);
}

/// The kernel clamps what it does not take, without a word.
Result<> write_shares(const std::string& directory, std::uint64_t shares) {
  TRY(write(directory, "cpu.shares", fmt::format("{}", shares)));
  const std::uint64_t taken = TRY(read_number(directory, "cpu.shares"));
  if (taken == shares) return {};
  return base::invalid(fmt::format("the {} allowed cpu-shares is {}", taken < shares ? "maximum" : "minimum", taken));
}

Result<> write_hierarchy(const std::string& directory, bool wanted) {
  const auto present = TRY(read_if_there(directory, "memory.use_hierarchy"));
  // Gone from the kernel together with the choice.
  const bool hierarchical = !present || base::trim(*present) == "1";
  if (hierarchical == wanted) return {};
  if (!present) return base::not_implemented("this kernel accounts memory hierarchically only");
  return write(directory, "memory.use_hierarchy", wanted ? "1" : "0");
}

Result<> write_rates(const std::string& directory, std::string_view file, const std::vector<DeviceRate>& rates) {
  for (const auto& [device, rate] : rates) {
    TRY(write(directory, file, fmt::format("{}:{} {}", device.major, device.minor, rate)));
  }
  return {};
}

std::string device_line(const DeviceRule& rule) {
  const auto number = [](const std::optional<std::uint32_t>& value) {
    return value ? fmt::format("{}", *value) : std::string{"*"};
  };
  return fmt::format("{} {}:{} {}{}{}", rule.type, number(rule.major), number(rule.minor), rule.read ? "r" : "",
                     rule.write ? "w" : "", rule.mknod ? "m" : "");
}

}  // namespace

Result<bool> write_early(const std::string& directory, std::string_view file, const std::optional<std::uint64_t>& value,
                         bool follows) {
  if (!value) return false;
  auto written = write(directory, file, fmt::format("{}", *value));
  if (written.failed_as(base::ErrorKind::NotFound)) return base::not_implemented(fmt::format("this kernel has no {}", file));
  const bool later = !written && written.error().errno_value() == EINVAL && follows;
  if (!later) TRY(std::move(written));
  return later;
}

Result<> check_memory_in_use(const std::string& directory, const Resources& wanted, bool v2) {
  if (!wanted.check_before_update) return {};
  const std::uint64_t usage = number_or_zero(directory, v2 ? "memory.current" : "memory.usage_in_bytes");
  const auto below = [&](const std::optional<std::int64_t>& limit) {
    return limit.value_or(0) > 0 && static_cast<std::uint64_t>(*limit) <= usage;
  };
  if (below(wanted.memory_and_swap)) {
    return base::conflict(fmt::format("rejecting memory+swap limit {} <= usage {}", *wanted.memory_and_swap, usage));
  }
  if (!below(wanted.memory_limit)) return {};
  return base::conflict(fmt::format("rejecting memory limit {} <= usage {}", *wanted.memory_limit, usage));
}

Result<> apply_memory_v1(const std::string& directory, const Resources& wanted) {
  TRY(check_memory_in_use(directory, wanted, false));
  TRY(write_memory_and_swap(directory, wanted));
  TRY(write_if(directory, "memory.soft_limit_in_bytes", wanted.memory_reservation));
  TRY(write_if_kernel_has(directory, "memory.kmem.tcp.limit_in_bytes", wanted.kernel_tcp_limit));
  if (wanted.disable_oom_killer) TRY(write(directory, "memory.oom_control", *wanted.disable_oom_killer ? "1" : "0"));
  if (wanted.use_hierarchy) TRY(write_hierarchy(directory, *wanted.use_hierarchy));
  if (wanted.swappiness) {
    if (*wanted.swappiness > 100) {
      return base::invalid(fmt::format("invalid memory swappiness value: {} (0-100)", *wanted.swappiness));
    }
    TRY(write(directory, "memory.swappiness", fmt::format("{}", *wanted.swappiness)));
  }
  return {};
}

Result<> with_burst(const std::string& directory, std::string_view file, const Resources& wanted,
                    base::FunctionRef<Result<>()> set_bandwidth) {
  if (!wanted.cpu_burst) return set_bandwidth();
  const std::string burst = fmt::format("{}", *wanted.cpu_burst);
  auto written = write(directory, file, burst);
  // Above the present quota: then it fits the coming one, or never.
  const bool later = !written && written.error().errno_value() == EINVAL;
  if (!later) TRY(std::move(written));
  TRY(set_bandwidth());
  return later ? write(directory, file, burst) : Result<>{};
}

namespace {

Result<> set_bandwidth_v1(const std::string& directory, const Resources& wanted) {
  bool period_later = false;
  if (wanted.cpu_period && *wanted.cpu_period != 0) {
    auto written = write(directory, "cpu.cfs_period_us", fmt::format("{}", *wanted.cpu_period));
    // The present quota may not fit the new period: then the quota goes first.
    period_later = !written && written.error().errno_value() == EINVAL && wanted.cpu_quota.value_or(0) != 0;
    if (!period_later) TRY(std::move(written));
  }
  if (wanted.cpu_quota && *wanted.cpu_quota != 0) {
    TRY(write(directory, "cpu.cfs_quota_us", fmt::format("{}", *wanted.cpu_quota)));
  }
  return period_later ? write(directory, "cpu.cfs_period_us", fmt::format("{}", *wanted.cpu_period)) : Result<>{};
}

}  // namespace

Result<> apply_cpu_v1(const std::string& directory, const Resources& wanted) {
  if (wanted.cpu_shares && *wanted.cpu_shares != 0) TRY(write_shares(directory, *wanted.cpu_shares));
  const bool rt_later = TRY(write_early(directory, "cpu.rt_period_us", wanted.realtime_period, wanted.realtime_runtime.has_value()));
  TRY(write_if_kernel_has(directory, "cpu.rt_runtime_us", wanted.realtime_runtime));
  if (rt_later) TRY(write_if(directory, "cpu.rt_period_us", wanted.realtime_period));
  TRY(with_burst(directory, "cpu.cfs_burst_us", wanted, [&] { return set_bandwidth_v1(directory, wanted); }));
  return write_if_kernel_has(directory, "cpu.idle", wanted.cpu_idle);
}

Result<> apply_cpuset(const std::string& directory, const Resources& wanted) {
  if (!wanted.cpus.empty()) TRY(write(directory, "cpuset.cpus", wanted.cpus));
  return wanted.mems.empty() ? Result<>{} : write(directory, "cpuset.mems", wanted.mems);
}

Result<> apply_pids(const std::string& directory, const Resources& wanted) {
  // 0 forbids what 1 forbids. systemd knows no 0, and both drivers shall give the same.
  const std::int64_t limit = std::max<std::int64_t>(*wanted.pids_limit, 1);
  return write(directory, "pids.max", *wanted.pids_limit < 0 ? "max" : fmt::format("{}", limit));
}

Result<> apply_io_v1(const std::string& directory, const Resources& wanted) {
  // CFQ's name or its successor's, whichever scheduler this kernel has.
  const bool bfq = TRY(has_file(directory, "blkio.bfq.weight"));
  const std::string weight = bfq ? "blkio.bfq.weight" : "blkio.weight";
  const auto write_weight = [&](const std::string& file, const std::string& text) -> Result<> {
    if (TRY(has_file(directory, file))) return write(directory, file, text);
    return base::not_implemented(fmt::format("this kernel has no {}: neither BFQ nor CFQ gives it", file));
  };
  const auto write_device = [&](const std::string& file, const DeviceNumber& device, std::uint16_t value) -> Result<> {
    return value == 0 ? Result<>{} : write_weight(file, fmt::format("{}:{} {}", device.major, device.minor, value));
  };
  if (wanted.io_weight.value_or(0) != 0) TRY(write_weight(weight, fmt::format("{}", *wanted.io_weight)));
  // Only CFQ's name exists: BFQ has no such thing.
  if (wanted.io_leaf_weight.value_or(0) != 0) TRY(write_weight("blkio.leaf_weight", fmt::format("{}", *wanted.io_leaf_weight)));
  for (const auto& [device, value, leaf_value] : wanted.io_device_weights) {
    TRY(write_device(weight + "_device", device, value));
    TRY(write_device("blkio.leaf_weight_device", device, leaf_value));
  }
  TRY(write_rates(directory, "blkio.throttle.read_bps_device", wanted.read_bytes));
  TRY(write_rates(directory, "blkio.throttle.write_bps_device", wanted.write_bytes));
  TRY(write_rates(directory, "blkio.throttle.read_iops_device", wanted.read_operations));
  return write_rates(directory, "blkio.throttle.write_iops_device", wanted.write_operations);
}

Result<> apply_hugepages(const std::string& directory, const Resources& wanted, bool v2) {
  for (const auto& [size, bytes] : wanted.hugepages) {
    const std::string_view file = v2 ? "max" : "limit_in_bytes";
    TRY(write(directory, fmt::format("hugetlb.{}.{}", size, file), fmt::format("{}", bytes)));
    const std::string reserved = fmt::format("hugetlb.{}.rsvd.{}", size, file);
    if (TRY(has_file(directory, reserved))) TRY(write(directory, reserved, fmt::format("{}", bytes)));
  }
  return {};
}

Result<> apply_net_class(const std::string& directory, const Resources& wanted) {
  return write(directory, "net_cls.classid", fmt::format("{}", *wanted.net_class));
}

Result<> apply_net_priority(const std::string& directory, const Resources& wanted) {
  for (const auto& [name, priority] : wanted.net_priority) {
    TRY(write(directory, "net_prio.ifpriomap", fmt::format("{} {}", name, priority)));
  }
  return {};
}

Result<> apply_rdma(const std::string& directory, const Resources& wanted) {
  for (const auto& [device, limits] : wanted.rdma) {
    TRY(write(directory, "rdma.max", fmt::format("{} {}", device, limits)));
  }
  return {};
}

Result<> apply_devices_v1(const std::string& directory, const Resources& wanted) {
  if (has_holes(*wanted.devices)) {
    return base::not_implemented("cgroup v1 can't deny a device within a rule that allows more: allow the others one by one");
  }
  const sys::UniqueFd folder = TRY(sys::open_at(sys::kCwd, directory, O_PATH | O_DIRECTORY));
  const sys::UniqueFd allow = TRY(sys::open_at(folder.get(), "devices.allow", O_WRONLY));
  const sys::UniqueFd deny = TRY(sys::open_at(folder.get(), "devices.deny", O_WRONLY));
  // Deny all first: that is what a list starts from, and the parent's may allow more.
  TRY(sys::write_some(deny.get(), "a"));
  for (const auto& rule : *wanted.devices) {
    const int file = rule.allow ? allow.get() : deny.get();
    const std::string line = rule.type == 'a' && !rule.major && !rule.minor ? std::string{"a"} : device_line(rule);
    TRY(sys::write_some(file, line).context("device rule " + line));
  }
  return {};
}

}  // namespace cgroup::detail
