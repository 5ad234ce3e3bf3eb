#pragma once
/// /version and /info. Source: the API's swagger, SystemVersion, SystemInfo. Fields that exist only
/// for features which this engine does not have are written as the API's empty values.

#include "spec/engine/container.h"

namespace spec::api {

struct VersionPlatform {
  std::string name;
};
void describe(auto& v, VersionPlatform& p) { v("Name", p.name); }
struct VersionComponent {
  std::string name, version;
  std::optional<Labels> details;
};
void describe(auto& v, VersionComponent& c) {
  v("Name", c.name);
  v("Version", c.version);
  v.opt("Details", c.details);
}
struct SystemVersion {
  VersionPlatform platform;
  std::vector<VersionComponent> components;
  std::string version, api_version, min_api_version, git_commit, go_version, os, arch,
      kernel_version, build_time;
  bool experimental = false;
};
void describe(auto& v, SystemVersion& s) {
  v("Platform", s.platform);
  v("Components", s.components);
  v("Version", s.version);
  v("ApiVersion", s.api_version);
  v("MinAPIVersion", s.min_api_version);
  v("GitCommit", s.git_commit);
  v("GoVersion", s.go_version);
  v("Os", s.os);
  v("Arch", s.arch);
  v("KernelVersion", s.kernel_version);
  v.opt("Experimental", s.experimental);
  v.opt("BuildTime", s.build_time);
}

struct RuntimeInfo {
  std::string path;
  std::optional<StringList> runtime_args;
};
void describe(auto& v, RuntimeInfo& r) {
  v.opt("path", r.path);
  v.opt("runtimeArgs", r.runtime_args);
}
struct PluginsInfo {
  StringList volume, network;
  std::optional<StringList> authorization;
  StringList log;
};
void describe(auto& v, PluginsInfo& p) {
  v("Volume", p.volume);
  v("Network", p.network);
  v("Authorization", p.authorization);
  v("Log", p.log);
}
struct Commit {
  std::string id;
};
void describe(auto& v, Commit& c) { v("ID", c.id); }
struct IndexInfo {
  std::string name;
  StringList mirrors;
  bool secure = true, official = false;
};
void describe(auto& v, IndexInfo& i) {
  v("Name", i.name);
  v("Mirrors", i.mirrors);
  v("Secure", i.secure);
  v("Official", i.official);
}
struct RegistryConfig {
  StringList insecure_registry_cidrs;
  std::map<std::string, IndexInfo> index_configs;
  StringList mirrors;
};
void describe(auto& v, RegistryConfig& r) {
  v("InsecureRegistryCIDRs", r.insecure_registry_cidrs);
  v("IndexConfigs", r.index_configs);
  v("Mirrors", r.mirrors);
}
struct SwarmInfo {
  std::string node_id, node_addr, local_node_state = "inactive";
  bool control_available = false;
  std::string error;
  Json remote_managers;
};
void describe(auto& v, SwarmInfo& s) {
  v("NodeID", s.node_id);
  v("NodeAddr", s.node_addr);
  v("LocalNodeState", s.local_node_state);
  v("ControlAvailable", s.control_available);
  v("Error", s.error);
  v("RemoteManagers", s.remote_managers);
}

struct AddressPoolInfo {
  std::string base;
  std::int64_t size = 0;
};
void describe(auto& v, AddressPoolInfo& p) {
  v("Base", p.base);
  v("Size", p.size);
}
struct FirewallInfo {
  std::string driver;
};
void describe(auto& v, FirewallInfo& f) { v("Driver", f.driver); }

struct SystemInfo {
  std::string id;
  std::int64_t containers = 0, containers_running = 0, containers_paused = 0, containers_stopped = 0;
  std::int64_t images = 0;
  std::string driver;
  std::vector<StringList> driver_status;
  PluginsInfo plugins;
  bool memory_limit = true, swap_limit = true, cpu_cfs_period = true, cpu_cfs_quota = true,
       cpu_shares = true, cpu_set = true, pids_limit = true, ipv4_forwarding = true,
       oom_kill_disable = true;
  bool debug = false;
  std::int64_t n_fd = 0, n_threads = 0;
  std::string system_time, logging_driver, cgroup_driver, cgroup_version;
  std::int64_t n_events_listener = 0;
  std::string kernel_version, operating_system, os_version, os_type, architecture,
      index_server_address;
  RegistryConfig registry_config;
  std::int64_t n_cpu = 0, mem_total = 0;
  std::string docker_root_dir, http_proxy, https_proxy, no_proxy, name;
  StringList labels;
  bool experimental_build = false;
  std::string server_version;
  std::map<std::string, RuntimeInfo> runtimes;
  std::string default_runtime;
  SwarmInfo swarm;
  bool live_restore_enabled = true;
  std::string isolation, init_binary;
  Commit containerd_commit, runc_commit, init_commit;
  StringList security_options;
  std::string product_license;
  std::optional<StringList> warnings;
  std::vector<AddressPoolInfo> default_address_pools;
  FirewallInfo firewall_backend;
  Json generic_resources;
  bool bridge_nf_iptables = false, bridge_nf_ip6tables = false;  ///< until 1.49; nothing here depends on them
};
void describe(auto& v, SystemInfo& s) {
  v("ID", s.id);
  v("Containers", s.containers);
  v("ContainersRunning", s.containers_running);
  v("ContainersPaused", s.containers_paused);
  v("ContainersStopped", s.containers_stopped);
  v("Images", s.images);
  v("Driver", s.driver);
  v("DriverStatus", s.driver_status);
  v("Plugins", s.plugins);
  v("MemoryLimit", s.memory_limit);
  v("SwapLimit", s.swap_limit);
  v("CpuCfsPeriod", s.cpu_cfs_period);
  v("CpuCfsQuota", s.cpu_cfs_quota);
  v("CPUShares", s.cpu_shares);
  v("CPUSet", s.cpu_set);
  v("PidsLimit", s.pids_limit);
  v("IPv4Forwarding", s.ipv4_forwarding);
  v("Debug", s.debug);
  v("NFd", s.n_fd);
  v("OomKillDisable", s.oom_kill_disable);
  v("NGoroutines", s.n_threads);
  v("SystemTime", s.system_time);
  v("LoggingDriver", s.logging_driver);
  v("CgroupDriver", s.cgroup_driver);
  v("CgroupVersion", s.cgroup_version);
  v("NEventsListener", s.n_events_listener);
  v("KernelVersion", s.kernel_version);
  v("OperatingSystem", s.operating_system);
  v("OSVersion", s.os_version);
  v("OSType", s.os_type);
  v("Architecture", s.architecture);
  v("IndexServerAddress", s.index_server_address);
  v("RegistryConfig", s.registry_config);
  v("NCPU", s.n_cpu);
  v("MemTotal", s.mem_total);
  v("DockerRootDir", s.docker_root_dir);
  v("HttpProxy", s.http_proxy);
  v("HttpsProxy", s.https_proxy);
  v("NoProxy", s.no_proxy);
  v("Name", s.name);
  v("Labels", s.labels);
  v("ExperimentalBuild", s.experimental_build);
  v("ServerVersion", s.server_version);
  v("Runtimes", s.runtimes);
  v("DefaultRuntime", s.default_runtime);
  v("Swarm", s.swarm);
  v("LiveRestoreEnabled", s.live_restore_enabled);
  v("Isolation", s.isolation);
  v("InitBinary", s.init_binary);
  v("ContainerdCommit", s.containerd_commit);
  v("RuncCommit", s.runc_commit);
  v("InitCommit", s.init_commit);
  v("SecurityOptions", s.security_options);
  v("ProductLicense", s.product_license);
  v("Warnings", s.warnings);
  v("DefaultAddressPools", s.default_address_pools);
  v("FirewallBackend", s.firewall_backend);
  v("GenericResources", s.generic_resources);
  v("BridgeNfIptables", s.bridge_nf_iptables);
  v("BridgeNfIp6tables", s.bridge_nf_ip6tables);
}

struct ErrorResponse {
  std::string message;
};
void describe(auto& v, ErrorResponse& e) { v("message", e.message); }

}  // namespace spec::api
