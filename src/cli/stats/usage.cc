#include "cli/stats/usage.h"

namespace cli::stats {

namespace {

double cpu_percent(const spec::api::ContainerStats& sample) {
  const auto difference = [](std::uint64_t now, std::uint64_t before) {
    return static_cast<double>(now) - static_cast<double>(before);
  };
  const auto& now = sample.cpu_stats;
  const auto& before = sample.precpu_stats;
  const double own = difference(now.cpu_usage.total_usage, before.cpu_usage.total_usage);
  const double whole = difference(now.system_cpu_usage, before.system_cpu_usage);
  double cpus = now.online_cpus;
  if (cpus == 0) cpus = static_cast<double>(now.cpu_usage.per_cpu_usage.size());
  return own > 0 && whole > 0 ? own / whole * cpus * 100 : 0;
}

/// v1 counts caches of cgroups below in a field of its own.
double memory_without_cache(const spec::api::MemoryStats& memory) {
  for (const char* name : {"total_inactive_file", "inactive_file"}) {
    const auto cache = memory.stats.find(name);
    if (cache != memory.stats.end() && cache->second < memory.usage) {
      return static_cast<double>(memory.usage - cache->second);
    }
  }
  return static_cast<double>(memory.usage);
}

}  // namespace

Usage usage_of(const std::string& container, const spec::api::ContainerStats& sample) {
  Usage usage{.container = container, .name = sample.name, .id = sample.id};
  usage.cpu_percent = cpu_percent(sample);
  usage.memory = memory_without_cache(sample.memory_stats);
  usage.memory_limit = static_cast<double>(sample.memory_stats.limit);
  // A limit of zero comes from a container that does not run.
  if (usage.memory_limit > 0) usage.memory_percent = usage.memory / usage.memory_limit * 100;
  if (sample.networks) {
    for (const auto& [name, interface] : *sample.networks) {
      usage.received += static_cast<double>(interface.rx_bytes);
      usage.sent += static_cast<double>(interface.tx_bytes);
    }
  }
  if (sample.blkio_stats.service_bytes) {
    for (const auto& entry : *sample.blkio_stats.service_bytes) {
      if (entry.op.starts_with('R') || entry.op.starts_with('r')) usage.read += static_cast<double>(entry.value);
      if (entry.op.starts_with('W') || entry.op.starts_with('w')) usage.written += static_cast<double>(entry.value);
    }
  }
  usage.pids = sample.pids_stats.current;
  return usage;
}

}  // namespace cli::stats
