#pragma once
/// What this host and this process can do, read once at start: what decisions about containers,
/// warnings and `info` rest on. A value that can't be read has its default; nothing here fails.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace engine {

struct HostFacts {
  std::string machine = "x86_64";  ///< uname(2)
  std::string kernel_release, operating_system, os_version, hostname;
  unsigned kernel_major = 0, kernel_minor = 0;
  unsigned cpus = 1;
  std::uint64_t memory_bytes = 0;
  std::string online_cpus, online_memory_nodes;  ///< "0-1"

  std::vector<std::string> capabilities;  ///< of the bounding set: what a container can get at most
  bool can_raise_limits = true;           ///< CAP_SYS_RESOURCE is effective
  std::int64_t oom_score_adj = 0;         ///< this process's own
  /// This process's own hard limits by OCI name, "RLIMIT_NOFILE". UINT64_MAX: none.
  std::map<std::string, std::uint64_t> hard_limits;

  bool cgroup_v2 = false;
  bool systemd = false;  ///< it is this host's init
  bool memory_limit = false, swap_limit = false, memory_reservation = false, memory_swappiness = false,
       oom_kill_disable = false, cpu_cfs = false, cpu_shares = false, cpu_realtime = false, cpuset = false,
       pids = false, blkio_weight = false, blkio_weight_device = false, blkio_throttle = false;
  bool apparmor = false, selinux = false, seccomp = false, cgroup_namespaces = false;
  bool ipv4_forwarding = false;
  std::vector<std::string> thermal_throttle_paths;  ///< to be masked, see oci/spec_builder.h

  static HostFacts detect();
  /// Looks at `ipv4_forwarding` again: the network module switches it on.
  void look_at_forwarding();
};

}  // namespace engine
