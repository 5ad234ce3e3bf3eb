#pragma once
/// What a client asks a container to be: Config and HostConfig of the Engine API (1.40 to 1.56), as
/// stored with the container and shown by inspect. Source: the API's swagger, ContainerConfig,
/// HostConfig, Resources, NetworkingConfig. Sizes are bytes, CPU time is in 1e-9 CPUs or µs as named.
///
/// Fields of which Go tells "not given" (null) from "empty" are optionals.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "codec/describe.h"

namespace spec::api {

using codec::Json;
using Labels = std::map<std::string, std::string>;
using StringList = std::vector<std::string>;

/// A Go map[string]struct{}: the names matter, the values are {}.
struct EmptyObject {};
void describe(auto& /*v*/, EmptyObject& /*object*/) {}
using NameSet = std::map<std::string, EmptyObject>;

struct HealthConfig {
  /// {"NONE"} | {"CMD", args…} | {"CMD-SHELL", command}; not docker's: {"HTTP", url} | {"TCP", "host:port"}
  StringList test;
  std::int64_t interval = 0, timeout = 0, start_period = 0, start_interval = 0;  ///< ns, 0: default
  std::int64_t retries = 0;
};
void describe(auto& v, HealthConfig& health) {
  v.opt("Test", health.test);
  v.opt("Interval", health.interval);
  v.opt("Timeout", health.timeout);
  v.opt("StartPeriod", health.start_period);
  v.opt("StartInterval", health.start_interval);
  v.opt("Retries", health.retries);
}

struct ContainerConfig {
  std::string hostname, domainname, user;
  bool attach_stdin = false, attach_stdout = false, attach_stderr = false;
  std::optional<NameSet> exposed_ports;  ///< "80/tcp"
  bool tty = false, open_stdin = false, stdin_once = false;
  std::optional<StringList> env, cmd, entrypoint;
  std::optional<HealthConfig> healthcheck;
  bool args_escaped = false;
  std::string image;
  std::optional<NameSet> volumes;
  std::string working_dir;
  bool network_disabled = false;
  std::string mac_address;
  std::optional<StringList> on_build;
  std::optional<Labels> labels;
  std::string stop_signal;
  std::optional<std::int64_t> stop_timeout;  ///< s
  std::optional<StringList> shell;
};
void describe(auto& v, ContainerConfig& c) {
  v("Hostname", c.hostname);
  v("Domainname", c.domainname);
  v("User", c.user);
  v("AttachStdin", c.attach_stdin);
  v("AttachStdout", c.attach_stdout);
  v("AttachStderr", c.attach_stderr);
  v.opt("ExposedPorts", c.exposed_ports);
  v("Tty", c.tty);
  v("OpenStdin", c.open_stdin);
  v("StdinOnce", c.stdin_once);
  v("Env", c.env);
  v("Cmd", c.cmd);
  v.opt("Healthcheck", c.healthcheck);
  v.opt("ArgsEscaped", c.args_escaped);
  v("Image", c.image);
  v("Volumes", c.volumes);
  v("WorkingDir", c.working_dir);
  v("Entrypoint", c.entrypoint);
  v.opt("NetworkDisabled", c.network_disabled);
  v.opt("MacAddress", c.mac_address);
  v("OnBuild", c.on_build);
  v("Labels", c.labels);
  v.opt("StopSignal", c.stop_signal);
  v.opt("StopTimeout", c.stop_timeout);
  v.opt("Shell", c.shell);
}

struct DeviceMapping {
  std::string path_on_host, path_in_container, cgroup_permissions;
};
void describe(auto& v, DeviceMapping& d) {
  v("PathOnHost", d.path_on_host);
  v("PathInContainer", d.path_in_container);
  v("CgroupPermissions", d.cgroup_permissions);
}

struct DeviceRequest {
  std::string driver;
  std::int64_t count = 0;
  std::optional<StringList> device_ids;
  std::optional<std::vector<StringList>> capabilities;
  std::optional<Labels> options;
};
void describe(auto& v, DeviceRequest& d) {
  v("Driver", d.driver);
  v("Count", d.count);
  v("DeviceIDs", d.device_ids);
  v("Capabilities", d.capabilities);
  v("Options", d.options);
}

struct Ulimit {
  std::string name;
  std::int64_t soft = 0, hard = 0;
};
void describe(auto& v, Ulimit& u) {
  v("Name", u.name);
  v("Hard", u.hard);
  v("Soft", u.soft);
}

struct ThrottleDevice {
  std::string path;
  std::uint64_t rate = 0;
};
void describe(auto& v, ThrottleDevice& d) {
  v("Path", d.path);
  v("Rate", d.rate);
}
struct WeightDevice {
  std::string path;
  std::uint16_t weight = 0;
};
void describe(auto& v, WeightDevice& d) {
  v("Path", d.path);
  v("Weight", d.weight);
}

struct RestartPolicy {
  std::string name;  ///< "", "no", "always", "unless-stopped", "on-failure"
  std::int64_t maximum_retry_count = 0;
};
void describe(auto& v, RestartPolicy& p) {
  v("Name", p.name);
  v("MaximumRetryCount", p.maximum_retry_count);
}

/// Limits; also the body of /containers/{id}/update.
struct Resources {
  std::int64_t cpu_shares = 0;
  std::int64_t memory = 0;
  std::int64_t nano_cpus = 0;
  std::string cgroup_parent;
  std::uint16_t blkio_weight = 0;
  std::optional<std::vector<WeightDevice>> blkio_weight_device;
  std::optional<std::vector<ThrottleDevice>> blkio_device_read_bps, blkio_device_write_bps,
      blkio_device_read_iops, blkio_device_write_iops;
  std::int64_t cpu_period = 0, cpu_quota = 0;  ///< µs
  std::int64_t cpu_realtime_period = 0, cpu_realtime_runtime = 0;
  std::string cpuset_cpus, cpuset_mems;
  std::optional<std::vector<DeviceMapping>> devices;
  std::optional<StringList> device_cgroup_rules;
  std::optional<std::vector<DeviceRequest>> device_requests;
  std::int64_t memory_reservation = 0;
  std::int64_t memory_swap = 0;  ///< memory + swap; -1: unlimited
  std::optional<std::int64_t> memory_swappiness;
  std::optional<bool> oom_kill_disable;
  std::optional<std::int64_t> pids_limit;  ///< 0 and -1: unlimited
  std::optional<std::vector<Ulimit>> ulimits;
};
void describe(auto& v, Resources& r) {
  v("CpuShares", r.cpu_shares);
  v("Memory", r.memory);
  v("NanoCpus", r.nano_cpus);
  v("CgroupParent", r.cgroup_parent);
  v("BlkioWeight", r.blkio_weight);
  v("BlkioWeightDevice", r.blkio_weight_device);
  v("BlkioDeviceReadBps", r.blkio_device_read_bps);
  v("BlkioDeviceWriteBps", r.blkio_device_write_bps);
  v("BlkioDeviceReadIOps", r.blkio_device_read_iops);
  v("BlkioDeviceWriteIOps", r.blkio_device_write_iops);
  v("CpuPeriod", r.cpu_period);
  v("CpuQuota", r.cpu_quota);
  v("CpuRealtimePeriod", r.cpu_realtime_period);
  v("CpuRealtimeRuntime", r.cpu_realtime_runtime);
  v("CpusetCpus", r.cpuset_cpus);
  v("CpusetMems", r.cpuset_mems);
  v("Devices", r.devices);
  v("DeviceCgroupRules", r.device_cgroup_rules);
  v("DeviceRequests", r.device_requests);
  v("MemoryReservation", r.memory_reservation);
  v("MemorySwap", r.memory_swap);
  v("MemorySwappiness", r.memory_swappiness);
  v("OomKillDisable", r.oom_kill_disable);
  v("PidsLimit", r.pids_limit);
  v("Ulimits", r.ulimits);
}

struct LogConfig {
  std::string type;
  Labels config;
};
void describe(auto& v, LogConfig& l) {
  v("Type", l.type);
  v("Config", l.config);
}

struct PortBinding {
  std::string host_ip, host_port;
};
void describe(auto& v, PortBinding& b) {
  v("HostIp", b.host_ip);
  v("HostPort", b.host_port);
}
/// "80/tcp" → bindings; null: exposed only.
using PortMap = std::map<std::string, std::optional<std::vector<PortBinding>>>;

struct BindOptions {
  std::string propagation;
  bool non_recursive = false, create_mountpoint = false, read_only_non_recursive = false,
       read_only_force_recursive = false;
};
void describe(auto& v, BindOptions& o) {
  v.opt("Propagation", o.propagation);
  v.opt("NonRecursive", o.non_recursive);
  v.opt("CreateMountpoint", o.create_mountpoint);
  v.opt("ReadOnlyNonRecursive", o.read_only_non_recursive);
  v.opt("ReadOnlyForceRecursive", o.read_only_force_recursive);
}
struct DriverConfig {
  std::string name;
  Labels options;
};
void describe(auto& v, DriverConfig& d) {
  v.opt("Name", d.name);
  v.opt("Options", d.options);
}
struct VolumeOptions {
  bool no_copy = false;
  Labels labels;
  std::optional<DriverConfig> driver_config;
  std::string subpath;
};
void describe(auto& v, VolumeOptions& o) {
  v.opt("NoCopy", o.no_copy);
  v.opt("Labels", o.labels);
  v.opt("DriverConfig", o.driver_config);
  v.opt("Subpath", o.subpath);
}
struct TmpfsOptions {
  std::int64_t size_bytes = 0;
  std::uint32_t mode = 0;
  std::vector<StringList> options;
};
void describe(auto& v, TmpfsOptions& o) {
  v.opt("SizeBytes", o.size_bytes);
  v.opt("Mode", o.mode);
  v.opt("Options", o.options);
}
struct ImageOptions {
  std::string subpath;
};
void describe(auto& v, ImageOptions& o) { v.opt("Subpath", o.subpath); }
struct Mount {
  std::string type, source, target;
  bool read_only = false;
  std::string consistency;
  std::optional<BindOptions> bind_options;
  std::optional<VolumeOptions> volume_options;
  std::optional<ImageOptions> image_options;
  std::optional<TmpfsOptions> tmpfs_options;
};
void describe(auto& v, Mount& m) {
  v.opt("Type", m.type);
  v.opt("Source", m.source);
  v.opt("Target", m.target);
  v.opt("ReadOnly", m.read_only);
  v.opt("Consistency", m.consistency);
  v.opt("BindOptions", m.bind_options);
  v.opt("VolumeOptions", m.volume_options);
  v.opt("ImageOptions", m.image_options);
  v.opt("TmpfsOptions", m.tmpfs_options);
}

struct HostConfig {
  std::optional<StringList> binds;
  std::string container_id_file;
  LogConfig log_config;
  std::string network_mode;  ///< "default", "bridge", "host", "none", "container:<id>", a network
  std::optional<PortMap> port_bindings;
  RestartPolicy restart_policy;
  bool auto_remove = false;
  std::string volume_driver;
  std::optional<StringList> volumes_from;
  std::vector<std::uint64_t> console_size{0, 0};  ///< rows, columns
  std::optional<Labels> annotations;
  std::optional<StringList> cap_add, cap_drop;
  std::string cgroupns_mode;
  std::optional<StringList> dns, dns_options, dns_search, extra_hosts, group_add;
  std::string ipc_mode, cgroup;
  std::optional<StringList> links;
  std::int64_t oom_score_adj = 0;
  std::string pid_mode;
  bool privileged = false, publish_all_ports = false, readonly_rootfs = false;
  std::optional<StringList> security_opt;
  std::optional<Labels> storage_opt;
  std::optional<Labels> tmpfs;
  std::string uts_mode, userns_mode;
  std::int64_t shm_size = 0;
  std::optional<Labels> sysctls;
  std::string runtime, isolation;
  Resources resources;
  std::optional<std::vector<Mount>> mounts;
  std::optional<StringList> masked_paths, readonly_paths;
  std::optional<bool> init;
  bool health_restart = false;  ///< not docker's: an unhealthy container is restarted
};
void describe(auto& v, HostConfig& h) {
  v("Binds", h.binds);
  v("ContainerIDFile", h.container_id_file);
  v("LogConfig", h.log_config);
  v("NetworkMode", h.network_mode);
  v("PortBindings", h.port_bindings);
  v("RestartPolicy", h.restart_policy);
  v("AutoRemove", h.auto_remove);
  v("VolumeDriver", h.volume_driver);
  v("VolumesFrom", h.volumes_from);
  v("ConsoleSize", h.console_size);
  v.opt("Annotations", h.annotations);
  v("CapAdd", h.cap_add);
  v("CapDrop", h.cap_drop);
  v("CgroupnsMode", h.cgroupns_mode);
  v("Dns", h.dns);
  v("DnsOptions", h.dns_options);
  v("DnsSearch", h.dns_search);
  v("ExtraHosts", h.extra_hosts);
  v("GroupAdd", h.group_add);
  v("IpcMode", h.ipc_mode);
  v("Cgroup", h.cgroup);
  v("Links", h.links);
  v("OomScoreAdj", h.oom_score_adj);
  v("PidMode", h.pid_mode);
  v("Privileged", h.privileged);
  v("PublishAllPorts", h.publish_all_ports);
  v("ReadonlyRootfs", h.readonly_rootfs);
  v("SecurityOpt", h.security_opt);
  v.opt("StorageOpt", h.storage_opt);
  v.opt("Tmpfs", h.tmpfs);
  v("UTSMode", h.uts_mode);
  v("UsernsMode", h.userns_mode);
  v("ShmSize", h.shm_size);
  v.opt("Sysctls", h.sysctls);
  v.opt("Runtime", h.runtime);
  v("Isolation", h.isolation);
  v.embed(h.resources);
  v.opt("Mounts", h.mounts);
  v("MaskedPaths", h.masked_paths);
  v("ReadonlyPaths", h.readonly_paths);
  v.opt("Init", h.init);
  v.opt("HealthRestart", h.health_restart);
}

/// What `update` changes beyond docker's limits and restart policy. Ports and labels change at once,
/// variables and mounts with the next start.
struct ConfigChanges {
  std::optional<PortMap> publish_add;
  std::optional<StringList> publish_remove;  ///< "80/tcp": all bindings of the container's port
  std::optional<Labels> label_add;
  std::optional<StringList> label_remove;
  std::optional<StringList> env_add;     ///< "KEY=value"
  std::optional<StringList> env_remove;  ///< "KEY"
  std::optional<std::vector<Mount>> mount_add;
  std::optional<StringList> mount_remove;  ///< paths in the container
};
void describe(auto& v, ConfigChanges& c) {
  v.opt("PublishAdd", c.publish_add);
  v.opt("PublishRemove", c.publish_remove);
  v.opt("LabelAdd", c.label_add);
  v.opt("LabelRemove", c.label_remove);
  v.opt("EnvAdd", c.env_add);
  v.opt("EnvRemove", c.env_remove);
  v.opt("MountAdd", c.mount_add);
  v.opt("MountRemove", c.mount_remove);
}

/// The body of POST /containers/{id}/update: what is zero or "" stays as it is.
struct UpdateRequest {
  Resources resources;
  RestartPolicy restart_policy;
  ConfigChanges changes;
};
void describe(auto& v, UpdateRequest& u) {
  v.embed(u.resources);
  v("RestartPolicy", u.restart_policy);
  v.embed(u.changes);
}

struct EndpointIpamConfig {
  std::string ipv4_address, ipv6_address;
  StringList link_local_ips;
};
void describe(auto& v, EndpointIpamConfig& c) {
  v.opt("IPv4Address", c.ipv4_address);
  v.opt("IPv6Address", c.ipv6_address);
  v.opt("LinkLocalIPs", c.link_local_ips);
}
struct EndpointSettings {
  std::optional<EndpointIpamConfig> ipam_config;
  std::optional<StringList> links, aliases;
  std::string mac_address;
  std::optional<Labels> driver_opts;
  std::int64_t gw_priority = 0;
  std::string network_id, endpoint_id, gateway, ip_address;
  std::int64_t ip_prefix_len = 0;
  std::string ipv6_gateway, global_ipv6_address;
  std::int64_t global_ipv6_prefix_len = 0;
  std::optional<StringList> dns_names;
};
void describe(auto& v, EndpointSettings& e) {
  v("IPAMConfig", e.ipam_config);
  v("Links", e.links);
  v("Aliases", e.aliases);
  v("MacAddress", e.mac_address);
  v("DriverOpts", e.driver_opts);
  v("GwPriority", e.gw_priority);
  v("NetworkID", e.network_id);
  v("EndpointID", e.endpoint_id);
  v("Gateway", e.gateway);
  v("IPAddress", e.ip_address);
  v("IPPrefixLen", e.ip_prefix_len);
  v("IPv6Gateway", e.ipv6_gateway);
  v("GlobalIPv6Address", e.global_ipv6_address);
  v("GlobalIPv6PrefixLen", e.global_ipv6_prefix_len);
  v("DNSNames", e.dns_names);
}
struct NetworkingConfig {
  std::map<std::string, std::optional<EndpointSettings>> endpoints_config;
};
void describe(auto& v, NetworkingConfig& n) { v("EndpointsConfig", n.endpoints_config); }

/// The body of POST /containers/create: ContainerConfig with two members more.
struct CreateContainerRequest {
  ContainerConfig config;
  HostConfig host_config;
  NetworkingConfig networking_config;
};
void describe(auto& v, CreateContainerRequest& r) {
  v.embed(r.config);
  v("HostConfig", r.host_config);
  v("NetworkingConfig", r.networking_config);
}

struct CreateContainerResponse {
  std::string id;
  StringList warnings;
};
void describe(auto& v, CreateContainerResponse& r) {
  v("Id", r.id);
  v("Warnings", r.warnings);
}

}  // namespace spec::api
