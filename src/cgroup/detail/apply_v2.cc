#include <cmath>

#include <fmt/format.h>

#include "base/log.h"
#include "base/strings.h"
#include "cgroup/detail/apply.h"
#include "cgroup/detail/device_filter.h"
#include "cgroup/detail/files.h"
#include "sys/bpf.h"
#include "sys/file.h"

namespace cgroup::detail {

using base::Result;

namespace {

/// As runc does: configurations are written for both versions.
void tell_ignored(bool asked, std::string_view what) {
  if (asked) base::log::warn("{}: cgroup v2 has no such setting, it is ignored", what);
}

std::string bytes_or_max(std::int64_t bytes) { return bytes < 0 ? "max" : fmt::format("{}", bytes); }

Result<> write_rates(const std::string& directory, std::string_view key, const std::vector<DeviceRate>& rates) {
  for (const auto& [device, rate] : rates) {
    const std::string value = rate == 0 ? "max" : fmt::format("{}", rate);
    TRY(write(directory, "io.max", fmt::format("{}:{} {}={}", device.major, device.minor, key, value)));
  }
  return {};
}

Result<> set_bandwidth_v2(const std::string& directory, const Resources& wanted) {
  const bool quota = wanted.cpu_quota.value_or(0) != 0;
  const bool period = wanted.cpu_period.value_or(0) != 0;
  if (!quota && !period) return {};
  std::string text = quota && *wanted.cpu_quota > 0 ? fmt::format("{}", *wanted.cpu_quota) : std::string{"max"};
  if (!quota) {
    // Only the period changes: the quota stays.
    const std::string present = TRY(read(directory, "cpu.max"));
    if (const auto parts = base::cut(present, " ")) text = parts->first;
  }
  if (period) text += fmt::format(" {}", *wanted.cpu_period);
  return write(directory, "cpu.max", text);
}

/// The kernel takes one line at a time in files like io.max.
Result<> write_lines(const std::string& directory, const std::string& file, const std::string& contents) {
  const auto lines = base::split_words(contents, '\n');
  if (lines.size() < 2) return write(directory, file, contents);
  for (const auto line : lines) TRY(write(directory, file, line));
  return {};
}

/// What v1 alone has, and nobody should believe to be in force.
Result<> refuse_memory_of_v1(const Resources& wanted) {
  if (wanted.swappiness) return base::not_implemented("cgroup v2 has no memory swappiness");
  if (wanted.disable_oom_killer.value_or(false)) return base::not_implemented("cgroup v2 cannot disable the OOM killer");
  if (wanted.kernel_tcp_limit) return base::not_implemented("cgroup v2 has no limit of TCP buffer memory");
  return {};
}

/// The memory limit that a swap limit refers to: the new one, or else the one in force.
Result<Resources> with_present_limit(const std::string& directory, Resources wanted) {
  if (wanted.memory_limit || !wanted.memory_and_swap) return wanted;
  const std::uint64_t present = TRY(read_number(directory, "memory.max"));
  if (present < INT64_MAX) wanted.memory_limit = static_cast<std::int64_t>(present);
  return wanted;
}

}  // namespace

Result<std::int64_t> swap_without_memory(const Resources& wanted) {
  const std::int64_t both = *wanted.memory_and_swap;
  if (both < 0) return std::int64_t{-1};
  if (!wanted.memory_limit || *wanted.memory_limit < 0) return base::invalid("a swap limit needs a memory limit");
  if (both < *wanted.memory_limit) return base::invalid("memory+swap limit should be >= memory limit");
  return both - *wanted.memory_limit;
}

std::uint64_t weight_of_shares(std::uint64_t shares) {
  if (shares <= 2) return 1;
  if (shares >= 262144) return 10000;
  // The quadratic exponent that goes through (2, 1), (1024, 100) and (262144, 10000).
  const double log = std::log2(static_cast<double>(shares));
  return static_cast<std::uint64_t>(std::ceil(std::pow(10, (log * log + 125 * log) / 612.0 - 7.0 / 34.0)));
}

std::uint64_t io_weight_of(std::uint16_t weight) {
  if (weight <= 10) return 1;
  return 1 + (static_cast<std::uint64_t>(weight) - 10) * 9999 / 990;
}

Result<> apply_memory_v2(const std::string& directory, const Resources& wanted) {
  TRY(refuse_memory_of_v1(wanted));
  TRY(check_memory_in_use(directory, wanted, true));
  if (wanted.memory_and_swap) {
    const Resources both = TRY(with_present_limit(directory, wanted));
    const std::string swap = bytes_or_max(TRY(swap_without_memory(both)));
    auto written = write(directory, "memory.swap.max", swap);
    // Without swap in the kernel there is nothing to limit, except that "none" was promised.
    if (!written && !(written.failed_as(base::ErrorKind::NotFound) && (swap == "max" || swap == "0"))) {
      return written;
    }
  } else if (wanted.memory_limit == -1) {
    base::ignore(write(directory, "memory.swap.max", "max"), "there may be no swap");
  }
  if (wanted.memory_limit) TRY(write(directory, "memory.max", bytes_or_max(*wanted.memory_limit)));
  if (wanted.memory_reservation) TRY(write(directory, "memory.low", bytes_or_max(*wanted.memory_reservation)));
  return {};
}

Result<> apply_cpu_v2(const std::string& directory, const Resources& wanted) {
  if (wanted.realtime_runtime || wanted.realtime_period) {
    return base::not_implemented("cgroup v2 has no limits for real-time processes");
  }
  if (wanted.cpu_idle) TRY(write(directory, "cpu.idle", fmt::format("{}", *wanted.cpu_idle)));
  // An idle cgroup's weight is fixed, and writing one an error.
  const bool idle = wanted.cpu_idle.value_or(0) == 1;
  if (wanted.cpu_shares && *wanted.cpu_shares != 0 && !idle) {
    TRY(write(directory, "cpu.weight", fmt::format("{}", weight_of_shares(*wanted.cpu_shares))));
  }
  return with_burst(directory, "cpu.max.burst", wanted, [&] { return set_bandwidth_v2(directory, wanted); });
}

Result<> apply_io_v2(const std::string& directory, const Resources& wanted) {
  tell_ignored(wanted.io_leaf_weight.value_or(0) != 0, "a block I/O leaf weight");
  const bool bfq = TRY(has_file(directory, "io.bfq.weight"));
  if (wanted.io_weight.value_or(0) != 0) {
    if (bfq) {
      TRY(write(directory, "io.bfq.weight", fmt::format("{}", *wanted.io_weight)));
    } else {
      TRY(write(directory, "io.weight", fmt::format("default {}", io_weight_of(*wanted.io_weight))));
    }
  }
  for (const auto& [device, weight, leaf_weight] : wanted.io_device_weights) {
    tell_ignored(leaf_weight != 0, "a block I/O leaf weight");
    if (weight == 0) continue;
    const std::uint64_t value = bfq ? weight : io_weight_of(weight);
    TRY(write(directory, bfq ? "io.bfq.weight" : "io.weight",
              fmt::format("{}:{} {}", device.major, device.minor, value)));
  }
  TRY(write_rates(directory, "rbps", wanted.read_bytes));
  TRY(write_rates(directory, "wbps", wanted.write_bytes));
  TRY(write_rates(directory, "riops", wanted.read_operations));
  return write_rates(directory, "wiops", wanted.write_operations);
}

Result<> apply_devices_v2(const std::string& directory, const Resources& wanted) {
  const sys::UniqueFd folder = TRY(sys::open_dir(sys::kCwd, directory));
  return sys::attach_device_filter(folder.get(), device_filter(*wanted.devices));
}

Result<> apply_unified(const std::string& directory, const Resources& wanted) {
  for (const auto& [file, contents] : wanted.unified) {
    if (file.find('/') != std::string::npos) {
      return base::invalid(fmt::format("unified resource {} must be a file name (no slashes)", base::quoted(file)));
    }
    const auto parts = base::cut(file, ".");
    if (!parts || parts->first.empty() || parts->second.empty()) {
      return base::invalid(fmt::format("unified resource {} must be the name of a cgroup file", base::quoted(file)));
    }
    auto written = write_lines(directory, file, contents);
    if (!written.failed_as(base::ErrorKind::NotFound) && !written.failed_as(base::ErrorKind::PermissionDenied)) {
      TRY(std::move(written));
      continue;
    }
    if (parts->first != "cgroup" && !TRY(has_controller(directory, parts->first))) {
      return base::not_implemented(fmt::format("unified resource {} can't be set: controller {} not available",
                                               base::quoted(file), base::quoted(parts->first)));
    }
    return std::move(written).context(fmt::format("unified resource {} can't be set", base::quoted(file)));
  }
  return {};
}

}  // namespace cgroup::detail
