#include <algorithm>

#include "base/strings.h"
#include "engine/host_config.h"

namespace engine {
namespace {

constexpr std::int64_t kLeastMemory = 6 << 20;
constexpr std::int64_t kLeastShares = 2, kMostShares = 262144;
using Warnings = std::vector<std::string>;

std::string missing(std::string_view what, std::string_view consequence) {
  return "Your kernel does not support " + std::string{what} + " or the cgroup is not mounted. " +
         std::string{consequence};
}

base::Result<> settle_memory(spec::api::Resources& r, const HostFacts& facts, Warnings& warnings) {
  if (r.memory > 0 && !facts.memory_limit) {
    warnings.push_back(missing("memory limit capabilities", "Limitation discarded."));
    r.memory = 0;
    r.memory_swap = -1;
  }
  if (r.memory != 0 && r.memory < kLeastMemory) return base::invalid("Minimum memory limit allowed is 6MB");
  if (r.memory > 0 && r.memory_swap != -1 && !facts.swap_limit) {
    if (r.memory_swap != 0) {
      warnings.push_back(missing("swap limit capabilities", "Memory limited without swap."));
    }
    r.memory_swap = -1;
  }
  if (r.memory > 0 && r.memory_swap > 0 && r.memory_swap < r.memory) {
    return base::invalid("Minimum memoryswap limit should be larger than memory limit, see usage");
  }
  if (r.memory == 0 && r.memory_swap > 0) {
    return base::invalid("You should always set the Memory limit when using Memoryswap limit, see usage");
  }
  if (r.memory_swappiness && *r.memory_swappiness == -1) r.memory_swappiness.reset();  // old clients' "not set"
  if (r.memory_swappiness && !facts.memory_swappiness) {
    warnings.push_back(missing("memory swappiness capabilities", "Memory swappiness discarded."));
    r.memory_swappiness.reset();
  }
  if (r.memory_swappiness && (*r.memory_swappiness < 0 || *r.memory_swappiness > 100)) {
    return base::invalid("Invalid value: " + std::to_string(*r.memory_swappiness) +
                         ", valid memory swappiness range is 0-100");
  }
  if (r.memory_reservation > 0 && !facts.memory_reservation) {
    warnings.push_back(missing("memory soft limit capabilities", "Limitation discarded."));
    r.memory_reservation = 0;
  }
  if (r.memory_reservation > 0 && r.memory_reservation < kLeastMemory) {
    return base::invalid("Minimum memory reservation allowed is 6MB");
  }
  if (r.memory > 0 && r.memory_reservation > r.memory) {
    return base::invalid("Minimum memory limit can not be less than memory reservation limit, see usage");
  }
  if (r.oom_kill_disable && !facts.oom_kill_disable) {
    if (*r.oom_kill_disable) {
      warnings.emplace_back("Your kernel does not support OomKillDisable. OomKillDisable discarded.");
    }
    r.oom_kill_disable.reset();
  }
  if (r.oom_kill_disable.value_or(false) && r.memory == 0) {
    warnings.emplace_back(
        "OOM killer is disabled for the container, but no memory limit is set, this can result in the system "
        "running out of resources.");
  }
  return {};
}

base::Result<> settle_cpu(spec::api::Resources& r, const HostFacts& facts, Warnings& warnings) {
  if (r.nano_cpus > 0 && r.cpu_period > 0) {
    return base::invalid("Conflicting options: Nano CPUs and CPU Period cannot both be set");
  }
  if (r.nano_cpus > 0 && r.cpu_quota > 0) {
    return base::invalid("Conflicting options: Nano CPUs and CPU Quota cannot both be set");
  }
  if (r.nano_cpus > 0 && !facts.cpu_cfs) {
    return base::invalid(
        "NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler or the cgroup is not mounted");
  }
  if (r.nano_cpus < 0 || r.nano_cpus > static_cast<std::int64_t>(facts.cpus) * 1'000'000'000) {
    const std::string count = std::to_string(facts.cpus);
    return base::invalid("Range of CPUs is from 0.01 to " + count + ".00, as there are only " + count +
                         " CPUs available");
  }
  if (r.cpu_shares > 0 && !facts.cpu_shares) {
    warnings.push_back(missing("CPU shares", "Shares discarded."));
    r.cpu_shares = 0;
  }
  if (r.cpu_shares != 0) r.cpu_shares = std::clamp(r.cpu_shares, kLeastShares, kMostShares);
  if ((r.cpu_period != 0 || r.cpu_quota != 0) && !facts.cpu_cfs) {
    warnings.emplace_back("Your kernel does not support CPU CFS scheduler. CPU period/quota discarded.");
    r.cpu_period = r.cpu_quota = 0;
  }
  if (r.cpu_period != 0 && (r.cpu_period < 1000 || r.cpu_period > 1'000'000)) {
    return base::invalid("CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)");
  }
  if (r.cpu_quota > 0 && r.cpu_quota < 1000) {
    return base::invalid("CPU cfs quota can not be less than 1ms (i.e. 1000)");
  }
  if ((r.cpu_realtime_period != 0 || r.cpu_realtime_runtime != 0) && !facts.cpu_realtime) {
    return base::invalid("Your kernel does not support CPU real-time scheduler");
  }
  if (r.cpu_realtime_period != 0 && r.cpu_realtime_runtime > r.cpu_realtime_period) {
    return base::invalid("cpu real-time runtime cannot be higher than cpu real-time period");
  }
  return {};
}

base::Result<> check_list(const std::string& asked, const std::string& available, std::string_view kind,
                          std::string_view noun) {
  if (asked.empty()) return {};
  const auto wanted = parse_cpu_list(asked);
  if (!wanted) {
    return base::invalid("Invalid value " + asked + " for cpuset " + std::string{kind} + ": " +
                         wanted.error().message());
  }
  const auto there = TRY(parse_cpu_list(available));
  const bool all = std::ranges::all_of(
      *wanted, [&](unsigned number) { return std::ranges::find(there, number) != there.end(); });
  if (all) return {};
  return base::invalid("Requested " + std::string{noun} + " are not available - requested " + asked +
                       ", available: " + available);
}

base::Result<> settle_rest(spec::api::Resources& r, const HostFacts& facts, Warnings& warnings) {
  if ((!r.cpuset_cpus.empty() || !r.cpuset_mems.empty()) && !facts.cpuset) {
    warnings.push_back(missing("cpuset", "Cpuset discarded."));
    r.cpuset_cpus.clear();
    r.cpuset_mems.clear();
  }
  TRY(check_list(r.cpuset_cpus, facts.online_cpus, "cpus", "CPUs"));
  TRY(check_list(r.cpuset_mems, facts.online_memory_nodes, "mems", "memory nodes"));
  if (r.pids_limit && !facts.pids) {
    if (*r.pids_limit > 0) warnings.push_back(missing("PIDs limit capabilities", "PIDs limit discarded."));
    r.pids_limit.reset();
  }
  if (r.blkio_weight > 0 && !facts.blkio_weight) {
    warnings.push_back(missing("Block I/O weight", "Weight discarded."));
    r.blkio_weight = 0;
  }
  if (r.blkio_weight > 0 && (r.blkio_weight < 10 || r.blkio_weight > 1000)) {
    return base::invalid("Range of blkio weight is from 10 to 1000");
  }
  const auto discard = [&](auto& list, bool supported, std::string_view what, std::string_view consequence) {
    if (!list || list->empty() || supported) return;
    warnings.push_back(missing(what, consequence));
    list->clear();
  };
  discard(r.blkio_weight_device, facts.blkio_weight_device, "Block I/O weight_device", "Weight-device discarded.");
  discard(r.blkio_device_read_bps, facts.blkio_throttle, "BPS Block I/O read limit",
          "Block I/O BPS read limit discarded.");
  discard(r.blkio_device_write_bps, facts.blkio_throttle, "BPS Block I/O write limit",
          "Block I/O BPS write limit discarded.");
  discard(r.blkio_device_read_iops, facts.blkio_throttle, "IOPS Block read limit",
          "Block I/O IOPS read limit discarded.");
  discard(r.blkio_device_write_iops, facts.blkio_throttle, "IOPS Block write limit",
          "Block I/O IOPS write limit discarded.");
  if (r.ulimits) {
    for (const spec::api::Ulimit& limit : *r.ulimits) {
      if (limit.hard != -1 && (limit.soft > limit.hard || limit.soft == -1)) {
        return base::invalid("ulimit soft limit must be less than or equal to hard limit: " +
                             std::to_string(limit.soft) + " > " + std::to_string(limit.hard));
      }
    }
  }
  return {};
}

}  // namespace

base::Result<std::vector<unsigned>> parse_cpu_list(std::string_view list) {
  constexpr std::uint64_t highest = 8191;
  std::vector<unsigned> numbers;
  for (const std::string_view part : base::split(list, ',')) {
    const auto range = base::cut(part, "-");
    const auto first = base::parse_uint(range ? range->first : part);
    const auto last = range ? base::parse_uint(range->second) : first;
    if (!first || !last || *last < *first || *last > highest) {
      return base::invalid("invalid format: " + std::string{list});
    }
    for (std::uint64_t number = *first; number <= *last; ++number) numbers.push_back(static_cast<unsigned>(number));
  }
  return numbers;
}

base::Result<> settle_resources(spec::api::Resources& resources, const HostFacts& facts, Warnings& warnings) {
  TRY(settle_memory(resources, facts, warnings));
  TRY(settle_cpu(resources, facts, warnings));
  return settle_rest(resources, facts, warnings);
}

}  // namespace engine
