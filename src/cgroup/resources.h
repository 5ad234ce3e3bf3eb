#pragma once
/// What a cgroup may use, independent of the hierarchy's version. Absent: leave as it is.
/// Sources: kernel Documentation/admin-guide/cgroup-v1/, cgroup-v2.rst; OCI config-linux.md.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace cgroup {

/// One line of a device list. Later lines win over earlier ones.
struct DeviceRule {
  bool allow = false;
  char type = 'a';  ///< 'a' all, 'c' character, 'b' block
  std::optional<std::uint32_t> major;  ///< absent: any
  std::optional<std::uint32_t> minor;
  bool read = true;
  bool write = true;
  bool mknod = true;
};

struct DeviceNumber {
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
};

struct DeviceRate {
  DeviceNumber device;
  std::uint64_t rate = 0;  ///< bytes or operations per second; 0 lifts the limit
};

struct DeviceWeight {
  DeviceNumber device;
  std::uint16_t weight = 0;       ///< 10 to 1000; 0: not set
  std::uint16_t leaf_weight = 0;  ///< the same, v1 before Linux 5.0 only
};

struct HugepageLimit {
  std::string page_size;  ///< "2MB"
  std::uint64_t bytes = 0;
};

struct Resources {
  // Memory, bytes; -1 is "no limit".
  std::optional<std::int64_t> memory_limit;
  std::optional<std::int64_t> memory_reservation;
  std::optional<std::int64_t> memory_and_swap;
  std::optional<std::uint64_t> swappiness;       ///< 0 to 100, v1 only
  std::optional<bool> disable_oom_killer;        ///< v1 only
  std::optional<bool> use_hierarchy;             ///< v1 only; the kernel has nothing but true since 5.11
  std::optional<std::int64_t> kernel_tcp_limit;  ///< v1 only
  /// Refuse a limit below what is used now (update only).
  bool check_before_update = false;

  std::optional<std::uint64_t> cpu_shares;  ///< v1's unit, 2 to 262144; 0 is "default"
  std::optional<std::int64_t> cpu_quota;    ///< µs per period; -1 is "no limit"
  std::optional<std::uint64_t> cpu_period;  ///< µs
  std::optional<std::uint64_t> cpu_burst;   ///< µs
  std::optional<std::int64_t> cpu_idle;
  std::optional<std::int64_t> realtime_runtime;  ///< µs, v1 only
  std::optional<std::uint64_t> realtime_period;  ///< µs, v1 only
  std::string cpus;                              ///< "0-3,7"; empty: the parent's
  std::string mems;

  std::optional<std::int64_t> pids_limit;  ///< less than 0: none; 0 is as good as 1

  std::optional<std::uint16_t> io_weight;       ///< 10 to 1000
  std::optional<std::uint16_t> io_leaf_weight;  ///< of the cgroup's own tasks against those below it; as above
  std::vector<DeviceWeight> io_device_weights;
  std::vector<DeviceRate> read_bytes;
  std::vector<DeviceRate> write_bytes;
  std::vector<DeviceRate> read_operations;
  std::vector<DeviceRate> write_operations;

  std::vector<HugepageLimit> hugepages;
  std::optional<std::uint32_t> net_class;             ///< v1 only
  std::map<std::string, std::uint32_t> net_priority;  ///< interface → priority, v1 only
  std::map<std::string, std::string> rdma;            ///< device → "hca_handle=… hca_object=…"

  /// Not set: the list is left alone (update). Set: everything is denied but what it allows.
  std::optional<std::vector<DeviceRule>> devices;

  std::map<std::string, std::string> unified;  ///< v2 only: file → contents
};

}  // namespace cgroup
