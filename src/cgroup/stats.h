#pragma once
/// What a cgroup used, in the units of the Engine API's `stats`.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace cgroup {

struct CpuStats {
  std::uint64_t total_ns = 0;
  std::uint64_t user_ns = 0;
  std::uint64_t system_ns = 0;
  std::vector<std::uint64_t> per_cpu_ns;  ///< v1 only
  std::uint64_t periods = 0;
  std::uint64_t throttled_periods = 0;
  std::uint64_t throttled_ns = 0;
};

struct MemoryStats {
  std::uint64_t usage = 0;      ///< bytes, page cache included
  std::uint64_t max_usage = 0;  ///< v1, and v2 since Linux 5.19
  std::uint64_t limit = 0;      ///< UINT64_MAX: none
  std::uint64_t swap = 0;
  std::uint64_t fail_count = 0;
  std::map<std::string, std::uint64_t> details;  ///< memory.stat, the file's own names
};

/// One row of a per-device table.
struct IoEntry {
  std::uint64_t major = 0;
  std::uint64_t minor = 0;
  std::string operation;  ///< "Read", "Write", … (v1's words); v2: "read", "write"
  std::uint64_t value = 0;
};

struct IoStats {
  std::vector<IoEntry> bytes;
  std::vector<IoEntry> operations;
};

struct PidsStats {
  std::uint64_t current = 0;
  std::uint64_t limit = 0;  ///< 0: none
};

struct Stats {
  CpuStats cpu;
  MemoryStats memory;
  IoStats io;
  PidsStats pids;
  std::uint64_t oom_kills = 0;
  bool v2 = false;
};

}  // namespace cgroup
