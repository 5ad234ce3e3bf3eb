#include "engine/containers/sample.h"

#include <cstdint>

#include <unistd.h>

#include "base/strings.h"
#include "cgroup/cgroup.h"
#include "sys/file.h"

namespace engine {
namespace {

using Entries = spec::api::BlkioStats::Entries;

Entries entries_of(const std::vector<cgroup::IoEntry>& rows) {
  std::vector<spec::api::BlkioEntry> entries;
  for (const cgroup::IoEntry& row : rows) entries.push_back({row.major, row.minor, row.operation, row.value});
  return entries;
}

std::uint64_t number(std::string_view text) { return base::parse_uint(text).value_or(0); }

std::uint64_t machine_memory() {
  return static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

std::map<std::string, spec::api::NetworkStats> parse_interfaces(std::string_view text) {
  std::map<std::string, spec::api::NetworkStats> interfaces;
  for (const std::string_view line : base::split_words(text, '\n')) {
    const auto parts = base::cut(line, ":");
    if (!parts) continue;  // the headings
    const std::string name{base::trim(parts->first)};
    const auto columns = base::split_words(parts->second);
    constexpr std::size_t transmit = 8;
    if (name == "lo" || columns.size() < transmit + 4) continue;
    spec::api::NetworkStats& stats = interfaces[name];
    stats.rx_bytes = number(columns[0]);
    stats.rx_packets = number(columns[1]);
    stats.rx_errors = number(columns[2]);
    stats.rx_dropped = number(columns[3]);
    stats.tx_bytes = number(columns[transmit]);
    stats.tx_packets = number(columns[transmit + 1]);
    stats.tx_errors = number(columns[transmit + 2]);
    stats.tx_dropped = number(columns[transmit + 3]);
  }
  return interfaces;
}

SystemCpu parse_system_cpu(std::string_view text, std::uint64_t ticks_per_second) {
  SystemCpu system;
  for (const std::string_view line : base::split_words(text, '\n')) {
    const auto columns = base::split_words(line);
    if (columns.empty() || !columns[0].starts_with("cpu")) break;  // they come first
    if (columns[0] != "cpu") {
      ++system.cpus;
      continue;
    }
    // user, nice, system, idle, iowait, irq, softirq, steal; guests' time is in the first two already.
    constexpr std::size_t last = 8;
    std::uint64_t ticks = 0;
    for (std::size_t i = 1; i < columns.size() && i <= last; ++i) ticks += number(columns[i]);
    system.usage = ticks * (1'000'000'000 / ticks_per_second);
  }
  return system;
}

void fill(spec::api::ContainerStats& stats, const cgroup::Stats& used, std::uint64_t machine_memory) {
  spec::api::CpuStats& cpu = stats.cpu_stats;
  cpu.cpu_usage = {used.cpu.total_ns, used.cpu.per_cpu_ns, used.cpu.system_ns, used.cpu.user_ns};
  cpu.throttling_data = {used.cpu.periods, used.cpu.throttled_periods, used.cpu.throttled_ns};
  spec::api::MemoryStats& memory = stats.memory_stats;
  memory.usage = used.memory.usage;
  memory.stats = used.memory.details;
  memory.limit = std::min(used.memory.limit, machine_memory);
  if (!used.v2) {
    memory.max_usage = used.memory.max_usage;
    memory.fail_count = used.memory.fail_count;
  }
  stats.pids_stats.current = used.pids.current;
  stats.pids_stats.limit = used.pids.limit == 0 && used.v2 ? UINT64_MAX : used.pids.limit;
  stats.blkio_stats.service_bytes = entries_of(used.io.bytes);
  if (used.v2) return;
  spec::api::BlkioStats& io = stats.blkio_stats;
  io.serviced = entries_of(used.io.operations);
  // The CFQ scheduler counted these; it has left the kernel, the files have not.
  for (Entries* gone : {&io.queue, &io.service_time, &io.wait_time, &io.merged, &io.time, &io.sectors}) gone->emplace();
}

base::Result<spec::api::ContainerStats> sample(const Record& record) {
  spec::api::ContainerStats stats;
  if (!has_process(record.state)) return stats;
  static const base::Result<cgroup::Host> host = cgroup::Host::detect();
  if (!host) return base::Error{host.error()};
  const auto pid = static_cast<pid_t>(record.pid);
  const auto group = cgroup::Cgroup::of_process(*host, pid);
  // It may end at any moment: then it uses nothing.
  if (!group) return stats;
  const auto used = group->stats();
  if (!used) return stats;
  fill(stats, *used, machine_memory());
  const std::string proc = "/proc/" + std::to_string(pid);
  if (const auto text = sys::read_file(sys::kCwd, "/proc/stat")) {
    const SystemCpu system = parse_system_cpu(*text, static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK)));
    stats.cpu_stats.system_cpu_usage = system.usage;
    stats.cpu_stats.online_cpus = system.cpus;
  }
  const bool shares = record.host.network_mode == "host" || !joined_container(record.host.network_mode).empty();
  if (const auto text = sys::read_file(sys::kCwd, proc + "/net/dev"); text && !shares) {
    if (auto interfaces = parse_interfaces(*text); !interfaces.empty()) stats.networks = std::move(interfaces);
  }
  stats.read = base::to_rfc3339(base::now());
  return stats;
}

}  // namespace engine
