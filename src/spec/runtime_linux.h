#pragma once
/// The `linux` section of an OCI runtime configuration (spec/runtime_config.h).
/// Source: OCI runtime-spec 1.3, config-linux.md, schema/config-linux.json.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "codec/describe.h"

namespace spec::oci {

struct IdMapping {
  std::uint32_t container_id = 0;
  std::uint32_t host_id = 0;
  std::uint32_t size = 0;
};
void describe(auto& v, IdMapping& x) {
  v("containerID", x.container_id);
  v("hostID", x.host_id);
  v("size", x.size);
}

struct Namespace {
  std::string type;  ///< mount pid network uts ipc user cgroup time
  std::string path;  ///< empty: a new one
};
void describe(auto& v, Namespace& x) {
  v("type", x.type);
  v.opt("path", x.path);
}

struct Device {
  std::string type;  ///< "c", "b", "u" or "p"
  std::string path;  ///< in the container
  std::int64_t major = 0;
  std::int64_t minor = 0;
  std::optional<std::uint32_t> file_mode;
  std::optional<std::uint32_t> uid;
  std::optional<std::uint32_t> gid;
};
void describe(auto& v, Device& x) {
  v("path", x.path);
  v("type", x.type);
  v("major", x.major);
  v("minor", x.minor);
  v.opt("fileMode", x.file_mode);
  v.opt("uid", x.uid);
  v.opt("gid", x.gid);
}

/// An interface to move into the container, renamed to `name` if that is not empty.
struct NetDevice {
  std::string name;
};
void describe(auto& v, NetDevice& x) { v.opt("name", x.name); }

/// One line of the device cgroup's list, in order; absent numbers match all.
struct DeviceRule {
  bool allow = false;
  std::string type;  ///< "a", "c", "b"; empty is "a"
  std::optional<std::int64_t> major;
  std::optional<std::int64_t> minor;
  std::string access;  ///< of "rwm"
};
void describe(auto& v, DeviceRule& x) {
  v("allow", x.allow);
  v.opt("type", x.type);
  v.opt("major", x.major);
  v.opt("minor", x.minor);
  v.opt("access", x.access);
}

struct MemoryResources {
  std::optional<std::int64_t> limit;  ///< bytes; -1: none
  std::optional<std::int64_t> reservation;
  std::optional<std::int64_t> swap;  ///< memory + swap
  std::optional<std::int64_t> kernel;
  std::optional<std::int64_t> kernel_tcp;
  std::optional<std::uint64_t> swappiness;
  std::optional<bool> disable_oom_killer;
  std::optional<bool> use_hierarchy;
  std::optional<bool> check_before_update;
};
void describe(auto& v, MemoryResources& x) {
  v.opt("limit", x.limit);
  v.opt("reservation", x.reservation);
  v.opt("swap", x.swap);
  v.opt("kernel", x.kernel);
  v.opt("kernelTCP", x.kernel_tcp);
  v.opt("swappiness", x.swappiness);
  v.opt("disableOOMKiller", x.disable_oom_killer);
  v.opt("useHierarchy", x.use_hierarchy);
  v.opt("checkBeforeUpdate", x.check_before_update);
}

struct CpuResources {
  std::optional<std::uint64_t> shares;
  std::optional<std::int64_t> quota;  ///< µs per period
  std::optional<std::uint64_t> burst;
  std::optional<std::uint64_t> period;  ///< µs
  std::optional<std::int64_t> realtime_runtime;
  std::optional<std::uint64_t> realtime_period;
  std::string cpus;
  std::string mems;
  std::optional<std::int64_t> idle;
};
void describe(auto& v, CpuResources& x) {
  v.opt("shares", x.shares);
  v.opt("quota", x.quota);
  v.opt("burst", x.burst);
  v.opt("period", x.period);
  v.opt("realtimeRuntime", x.realtime_runtime);
  v.opt("realtimePeriod", x.realtime_period);
  v.opt("cpus", x.cpus);
  v.opt("mems", x.mems);
  v.opt("idle", x.idle);
}

struct PidsResources {
  std::optional<std::int64_t> limit;  ///< 0 and less: none
};
void describe(auto& v, PidsResources& x) { v.opt("limit", x.limit); }

struct WeightDevice {
  std::int64_t major = 0;
  std::int64_t minor = 0;
  std::optional<std::uint16_t> weight;
  std::optional<std::uint16_t> leaf_weight;
};
void describe(auto& v, WeightDevice& x) {
  v("major", x.major);
  v("minor", x.minor);
  v.opt("weight", x.weight);
  v.opt("leafWeight", x.leaf_weight);
}

struct ThrottleDevice {
  std::int64_t major = 0;
  std::int64_t minor = 0;
  std::uint64_t rate = 0;  ///< bytes or operations per second
};
void describe(auto& v, ThrottleDevice& x) {
  v("major", x.major);
  v("minor", x.minor);
  v("rate", x.rate);
}

struct BlockIoResources {
  std::optional<std::uint16_t> weight;
  std::optional<std::uint16_t> leaf_weight;
  std::vector<WeightDevice> weight_device;
  std::vector<ThrottleDevice> throttle_read_bps;
  std::vector<ThrottleDevice> throttle_write_bps;
  std::vector<ThrottleDevice> throttle_read_iops;
  std::vector<ThrottleDevice> throttle_write_iops;
};
void describe(auto& v, BlockIoResources& x) {
  v.opt("weight", x.weight);
  v.opt("leafWeight", x.leaf_weight);
  v.opt("weightDevice", x.weight_device);
  v.opt("throttleReadBpsDevice", x.throttle_read_bps);
  v.opt("throttleWriteBpsDevice", x.throttle_write_bps);
  v.opt("throttleReadIOPSDevice", x.throttle_read_iops);
  v.opt("throttleWriteIOPSDevice", x.throttle_write_iops);
}

struct HugepageLimit {
  std::string page_size;  ///< "2MB"
  std::uint64_t limit = 0;
};
void describe(auto& v, HugepageLimit& x) {
  v("pageSize", x.page_size);
  v("limit", x.limit);
}

struct InterfacePriority {
  std::string name;
  std::uint32_t priority = 0;
};
void describe(auto& v, InterfacePriority& x) {
  v("name", x.name);
  v("priority", x.priority);
}

struct NetworkResources {
  std::optional<std::uint32_t> class_id;
  std::vector<InterfacePriority> priorities;
};
void describe(auto& v, NetworkResources& x) {
  v.opt("classID", x.class_id);
  v.opt("priorities", x.priorities);
}

struct Rdma {
  std::optional<std::uint32_t> hca_handles;
  std::optional<std::uint32_t> hca_objects;
};
void describe(auto& v, Rdma& x) {
  v.opt("hcaHandles", x.hca_handles);
  v.opt("hcaObjects", x.hca_objects);
}

struct Resources {
  std::vector<DeviceRule> devices;
  std::optional<MemoryResources> memory;
  std::optional<CpuResources> cpu;
  std::optional<PidsResources> pids;
  std::optional<BlockIoResources> block_io;
  std::vector<HugepageLimit> hugepage_limits;
  std::optional<NetworkResources> network;
  std::map<std::string, Rdma> rdma;
  std::map<std::string, std::string> unified;  ///< cgroup v2 file → contents
};
void describe(auto& v, Resources& x) {
  v.opt("devices", x.devices);
  v.opt("memory", x.memory);
  v.opt("cpu", x.cpu);
  v.opt("pids", x.pids);
  v.opt("blockIO", x.block_io);
  v.opt("hugepageLimits", x.hugepage_limits);
  v.opt("network", x.network);
  v.opt("rdma", x.rdma);
  v.opt("unified", x.unified);
}

struct SeccompArg {
  std::uint32_t index = 0;
  std::uint64_t value = 0;
  std::uint64_t value_two = 0;
  std::string op;  ///< "SCMP_CMP_EQ", …
};
void describe(auto& v, SeccompArg& x) {
  v("index", x.index);
  v("value", x.value);
  v.opt("valueTwo", x.value_two);
  v("op", x.op);
}

struct SeccompSyscalls {
  std::vector<std::string> names;
  std::string action;
  std::optional<std::uint32_t> errno_ret;
  std::vector<SeccompArg> args;
};
void describe(auto& v, SeccompSyscalls& x) {
  v("names", x.names);
  v("action", x.action);
  v.opt("errnoRet", x.errno_ret);
  v.opt("args", x.args);
}

struct Seccomp {
  std::string default_action;
  std::optional<std::uint32_t> default_errno_ret;
  std::vector<std::string> architectures;
  std::vector<std::string> flags;
  std::string listener_path;
  std::string listener_metadata;
  std::vector<SeccompSyscalls> syscalls;
};
void describe(auto& v, Seccomp& x) {
  v("defaultAction", x.default_action);
  v.opt("defaultErrnoRet", x.default_errno_ret);
  v.opt("architectures", x.architectures);
  v.opt("flags", x.flags);
  v.opt("listenerPath", x.listener_path);
  v.opt("listenerMetadata", x.listener_metadata);
  v.opt("syscalls", x.syscalls);
}

struct IntelRdt {
  std::string clos_id;
  std::vector<std::string> schemata;
  std::string l3_cache_schema;
  std::string mem_bw_schema;
  bool enable_monitoring = false;
};
void describe(auto& v, IntelRdt& x) {
  v.opt("closID", x.clos_id);
  v.opt("schemata", x.schemata);
  v.opt("l3CacheSchema", x.l3_cache_schema);
  v.opt("memBwSchema", x.mem_bw_schema);
  v.opt("enableMonitoring", x.enable_monitoring);
}

struct MemoryPolicy {
  std::string mode;  ///< "MPOL_BIND", …
  std::string nodes;
  std::vector<std::string> flags;
};
void describe(auto& v, MemoryPolicy& x) {
  v("mode", x.mode);
  v.opt("nodes", x.nodes);
  v.opt("flags", x.flags);
}

struct Personality {
  std::string domain;  ///< "LINUX" or "LINUX32"
  std::vector<std::string> flags;
};
void describe(auto& v, Personality& x) {
  v("domain", x.domain);
  v.opt("flags", x.flags);
}

struct TimeOffset {
  std::int64_t secs = 0;
  std::uint32_t nanosecs = 0;
};
void describe(auto& v, TimeOffset& x) {
  v.opt("secs", x.secs);
  v.opt("nanosecs", x.nanosecs);
}

struct Linux {
  std::vector<IdMapping> uid_mappings;
  std::vector<IdMapping> gid_mappings;
  std::map<std::string, std::string> sysctl;
  std::optional<Resources> resources;
  std::string cgroups_path;
  std::vector<Namespace> namespaces;
  std::vector<Device> devices;
  std::map<std::string, NetDevice> net_devices;
  std::optional<Seccomp> seccomp;
  std::string rootfs_propagation;
  std::vector<std::string> masked_paths;
  std::vector<std::string> readonly_paths;
  std::string mount_label;
  std::optional<IntelRdt> intel_rdt;
  std::optional<MemoryPolicy> memory_policy;
  std::optional<Personality> personality;
  std::map<std::string, TimeOffset> time_offsets;
};
void describe(auto& v, Linux& x) {
  v.opt("uidMappings", x.uid_mappings);
  v.opt("gidMappings", x.gid_mappings);
  v.opt("sysctl", x.sysctl);
  v.opt("resources", x.resources);
  v.opt("cgroupsPath", x.cgroups_path);
  v.opt("namespaces", x.namespaces);
  v.opt("devices", x.devices);
  v.opt("netDevices", x.net_devices);
  v.opt("seccomp", x.seccomp);
  v.opt("rootfsPropagation", x.rootfs_propagation);
  v.opt("maskedPaths", x.masked_paths);
  v.opt("readonlyPaths", x.readonly_paths);
  v.opt("mountLabel", x.mount_label);
  v.opt("intelRdt", x.intel_rdt);
  v.opt("memoryPolicy", x.memory_policy);
  v.opt("personality", x.personality);
  v.opt("timeOffsets", x.time_offsets);
}

}  // namespace spec::oci
