#pragma once
/// What a container uses, as GET /containers/{id}/stats says it. Source: the API's swagger,
/// ContainerStatsResponse. Fields of one version of cgroups only are optional.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace spec::api {

struct CpuUsage {
  std::uint64_t total_usage = 0;  ///< ns, all of these
  std::vector<std::uint64_t> per_cpu_usage;  ///< v1
  std::uint64_t in_kernel_mode = 0, in_user_mode = 0;
};
void describe(auto& v, CpuUsage& u) {
  v("total_usage", u.total_usage);
  v.opt("percpu_usage", u.per_cpu_usage);
  v("usage_in_kernelmode", u.in_kernel_mode);
  v("usage_in_usermode", u.in_user_mode);
}

struct ThrottlingData {
  std::uint64_t periods = 0, throttled_periods = 0, throttled_time = 0;
};
void describe(auto& v, ThrottlingData& t) {
  v("periods", t.periods);
  v("throttled_periods", t.throttled_periods);
  v("throttled_time", t.throttled_time);
}

struct CpuStats {
  CpuUsage cpu_usage;
  std::uint64_t system_cpu_usage = 0;  ///< ns, of the whole machine
  std::uint32_t online_cpus = 0;
  ThrottlingData throttling_data;
};
void describe(auto& v, CpuStats& c) {
  v("cpu_usage", c.cpu_usage);
  v.opt("system_cpu_usage", c.system_cpu_usage);
  v.opt("online_cpus", c.online_cpus);
  v("throttling_data", c.throttling_data);
}

struct MemoryStats {
  std::uint64_t usage = 0, max_usage = 0;
  std::map<std::string, std::uint64_t> stats;  ///< memory.stat
  std::uint64_t fail_count = 0, limit = 0;
};
void describe(auto& v, MemoryStats& m) {
  v.opt("usage", m.usage);
  v.opt("max_usage", m.max_usage);
  v.opt("stats", m.stats);
  v.opt("failcnt", m.fail_count);
  v.opt("limit", m.limit);
}

struct BlkioEntry {
  std::uint64_t major = 0, minor = 0;
  std::string op;
  std::uint64_t value = 0;
};
void describe(auto& v, BlkioEntry& e) {
  v("major", e.major);
  v("minor", e.minor);
  v("op", e.op);
  v("value", e.value);
}

/// A list that is not there is null.
struct BlkioStats {
  using Entries = std::optional<std::vector<BlkioEntry>>;
  Entries service_bytes, serviced, queue, service_time, wait_time, merged, time, sectors;
};
void describe(auto& v, BlkioStats& b) {
  v("io_service_bytes_recursive", b.service_bytes);
  v("io_serviced_recursive", b.serviced);
  v("io_queue_recursive", b.queue);
  v("io_service_time_recursive", b.service_time);
  v("io_wait_time_recursive", b.wait_time);
  v("io_merged_recursive", b.merged);
  v("io_time_recursive", b.time);
  v("sectors_recursive", b.sectors);
}

struct PidsStats {
  std::uint64_t current = 0, limit = 0;
};
void describe(auto& v, PidsStats& p) {
  v.opt("current", p.current);
  v.opt("limit", p.limit);
}

struct NetworkStats {
  std::uint64_t rx_bytes = 0, rx_packets = 0, rx_errors = 0, rx_dropped = 0;
  std::uint64_t tx_bytes = 0, tx_packets = 0, tx_errors = 0, tx_dropped = 0;
};
void describe(auto& v, NetworkStats& n) {
  v("rx_bytes", n.rx_bytes);
  v("rx_packets", n.rx_packets);
  v("rx_errors", n.rx_errors);
  v("rx_dropped", n.rx_dropped);
  v("tx_bytes", n.tx_bytes);
  v("tx_packets", n.tx_packets);
  v("tx_errors", n.tx_errors);
  v("tx_dropped", n.tx_dropped);
}

struct StorageStats {};
void describe(auto& /*v*/, StorageStats& /*stats*/) {}

struct ContainerStats {
  static constexpr const char* kNever = "0001-01-01T00:00:00Z";
  std::string name, id;  ///< the name with its slash
  std::string read = kNever, preread = kNever;
  PidsStats pids_stats;
  BlkioStats blkio_stats;
  std::uint32_t num_procs = 0;  ///< of Windows only
  StorageStats storage_stats;
  CpuStats cpu_stats, precpu_stats;
  MemoryStats memory_stats;
  std::optional<std::map<std::string, NetworkStats>> networks;
};
void describe(auto& v, ContainerStats& s) {
  v("name", s.name);
  v("id", s.id);
  v("read", s.read);
  v("preread", s.preread);
  v("pids_stats", s.pids_stats);
  v("blkio_stats", s.blkio_stats);
  v("num_procs", s.num_procs);
  v("storage_stats", s.storage_stats);
  v("cpu_stats", s.cpu_stats);
  v("precpu_stats", s.precpu_stats);
  v("memory_stats", s.memory_stats);
  v.opt("networks", s.networks);
}

}  // namespace spec::api
