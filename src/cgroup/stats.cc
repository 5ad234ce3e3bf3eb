#include <unistd.h>

#include "base/strings.h"
#include "cgroup/cgroup.h"
#include "cgroup/detail/files.h"
#include "sys/file.h"

namespace cgroup {

using base::Result;
using detail::number_or_zero;
using detail::read_table;

namespace {

std::uint64_t at(const std::map<std::string, std::uint64_t>& table, const char* name) {
  const auto found = table.find(name);
  return found == table.end() ? 0 : found->second;
}

constexpr std::uint64_t kNsPerUs = 1000;
/// What cpuacct.stat counts in: USER_HZ, 100 on every Linux ABI there is.
constexpr std::uint64_t kNsPerTick = 10'000'000;

CpuStats cpu_v1(const std::string& accounting, const std::string& cpu) {
  CpuStats out;
  if (!accounting.empty()) {
    out.total_ns = number_or_zero(accounting, "cpuacct.usage");
    const auto modes = read_table(accounting, "cpuacct.stat");
    out.user_ns = at(modes, "user") * kNsPerTick;
    out.system_ns = at(modes, "system") * kNsPerTick;
    if (const auto text = detail::read(accounting, "cpuacct.usage_percpu")) {
      for (const auto one : base::split_words(base::trim(*text))) out.per_cpu_ns.push_back(detail::to_number(one));
    }
  }
  if (!cpu.empty()) {
    const auto throttling = read_table(cpu, "cpu.stat");
    out.periods = at(throttling, "nr_periods");
    out.throttled_periods = at(throttling, "nr_throttled");
    out.throttled_ns = at(throttling, "throttled_time");
  }
  return out;
}

CpuStats cpu_v2(const std::string& directory) {
  const auto table = read_table(directory, "cpu.stat");
  CpuStats out;
  out.total_ns = at(table, "usage_usec") * kNsPerUs;
  out.user_ns = at(table, "user_usec") * kNsPerUs;
  out.system_ns = at(table, "system_usec") * kNsPerUs;
  out.periods = at(table, "nr_periods");
  out.throttled_periods = at(table, "nr_throttled");
  out.throttled_ns = at(table, "throttled_usec") * kNsPerUs;
  return out;
}

MemoryStats memory_v1(const std::string& directory) {
  // v1 writes "no limit" as the largest multiple of a page.
  constexpr std::uint64_t kNoLimit = 0x7ffffffffffff000;
  MemoryStats out;
  out.usage = number_or_zero(directory, "memory.usage_in_bytes");
  out.max_usage = number_or_zero(directory, "memory.max_usage_in_bytes");
  out.limit = number_or_zero(directory, "memory.limit_in_bytes");
  if (out.limit >= kNoLimit) out.limit = UINT64_MAX;
  const std::uint64_t with_swap = number_or_zero(directory, "memory.memsw.usage_in_bytes");
  out.swap = with_swap > out.usage ? with_swap - out.usage : 0;
  out.fail_count = number_or_zero(directory, "memory.failcnt");
  out.details = read_table(directory, "memory.stat");
  return out;
}

MemoryStats memory_v2(const std::string& directory) {
  MemoryStats out;
  out.usage = number_or_zero(directory, "memory.current");
  out.max_usage = number_or_zero(directory, "memory.peak");
  out.limit = number_or_zero(directory, "memory.max");
  out.swap = number_or_zero(directory, "memory.swap.current");
  out.fail_count = at(read_table(directory, "memory.events"), "max");
  out.details = read_table(directory, "memory.stat");
  return out;
}

/// Lines of "8:0 Read 4096" and a last "Total 4096".
std::vector<IoEntry> io_table_v1(const std::string& directory, const char* file) {
  std::vector<IoEntry> out;
  const auto text = detail::read(directory, file);
  if (!text) return out;
  for (const auto line : base::split_words(*text, '\n')) {
    const auto fields = base::split_words(line);
    const auto device = fields.size() == 3 ? base::cut(fields[0], ":") : std::nullopt;
    if (!device) continue;
    out.push_back({detail::to_number(device->first), detail::to_number(device->second), std::string{fields[1]},
                   detail::to_number(fields[2])});
  }
  return out;
}

IoStats io_v1(const std::string& directory) {
  return {io_table_v1(directory, "blkio.throttle.io_service_bytes_recursive"),
          io_table_v1(directory, "blkio.throttle.io_serviced_recursive")};
}

/// Lines of "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6".
IoStats io_v2(const std::string& directory) {
  IoStats out;
  const auto text = detail::read(directory, "io.stat");
  if (!text) return out;
  for (const auto line : base::split_words(*text, '\n')) {
    const auto fields = base::split_words(line);
    const auto device = fields.empty() ? std::nullopt : base::cut(fields[0], ":");
    if (!device) continue;
    for (const auto field : std::span{fields}.subspan(1)) {
      const auto pair = base::cut(field, "=");
      if (!pair) continue;
      const std::uint64_t major = detail::to_number(device->first);
      const std::uint64_t minor = detail::to_number(device->second);
      const std::uint64_t value = detail::to_number(pair->second);
      if (pair->first == "rbytes") out.bytes.push_back({major, minor, "read", value});
      if (pair->first == "wbytes") out.bytes.push_back({major, minor, "write", value});
      if (pair->first == "rios") out.operations.push_back({major, minor, "read", value});
      if (pair->first == "wios") out.operations.push_back({major, minor, "write", value});
    }
  }
  return out;
}

PidsStats pids(const std::string& directory) {
  const std::uint64_t limit = number_or_zero(directory, "pids.max");
  return {number_or_zero(directory, "pids.current"), limit == UINT64_MAX ? 0 : limit};
}

}  // namespace

Result<Stats> Cgroup::stats() const {
  Stats out;
  const auto* unified = v2_place();
  const auto* memory = v1_place("memory");
  out.v2 = memory == nullptr && unified != nullptr && v1_place("cpuacct") == nullptr;
  if (out.v2) {
    const std::string& directory = unified->directory;
    out.cpu = cpu_v2(directory);
    out.memory = memory_v2(directory);
    out.io = io_v2(directory);
    out.pids = pids(directory);
    out.oom_kills = at(read_table(directory, "memory.events"), "oom_kill");
    return out;
  }
  out.cpu = cpu_v1(directory_of("cpuacct"), directory_of("cpu"));
  if (memory != nullptr) {
    out.memory = memory_v1(memory->directory);
    out.oom_kills = at(read_table(memory->directory, "memory.oom_control"), "oom_kill");
  }
  if (const auto* place = v1_place("blkio"); place != nullptr) out.io = io_v1(place->directory);
  if (const auto* place = v1_place("pids"); place != nullptr) out.pids = pids(place->directory);
  return out;
}

}  // namespace cgroup
