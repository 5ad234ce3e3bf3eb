#pragma once
/// What the API says about a container that exists: list entries, inspect, wait, top, execs.
/// Source: the API's swagger, ContainerSummary, ContainerInspectResponse, ContainerState.

#include "spec/engine/container.h"

namespace spec::api {

struct HealthLogEntry {
  std::string start, end;
  std::int64_t exit_code = 0;
  std::string output;
};
void describe(auto& v, HealthLogEntry& e) {
  v("Start", e.start);
  v("End", e.end);
  v("ExitCode", e.exit_code);
  v("Output", e.output);
}
struct Health {
  std::string status;  ///< "starting", "healthy", "unhealthy"
  std::int64_t failing_streak = 0;
  std::vector<HealthLogEntry> log;
};
void describe(auto& v, Health& h) {
  v("Status", h.status);
  v("FailingStreak", h.failing_streak);
  v("Log", h.log);
}

struct ContainerState {
  std::string status;  ///< created, running, paused, restarting, removing, exited, dead
  bool running = false, paused = false, restarting = false, oom_killed = false, dead = false;
  std::int64_t pid = 0;
  std::int64_t exit_code = 0;
  std::string error;
  std::string started_at, finished_at;  ///< RFC 3339; base::kNever
  std::optional<Health> health;
};
void describe(auto& v, ContainerState& s) {
  v("Status", s.status);
  v("Running", s.running);
  v("Paused", s.paused);
  v("Restarting", s.restarting);
  v("OOMKilled", s.oom_killed);
  v("Dead", s.dead);
  v("Pid", s.pid);
  v("ExitCode", s.exit_code);
  v("Error", s.error);
  v("StartedAt", s.started_at);
  v("FinishedAt", s.finished_at);
  v.opt("Health", s.health);
}

struct MountPoint {
  std::string type, name, source, destination, driver, mode;
  bool rw = true;
  std::string propagation;
};
void describe(auto& v, MountPoint& m) {
  v.opt("Type", m.type);
  v.opt("Name", m.name);
  v("Source", m.source);
  v("Destination", m.destination);
  v.opt("Driver", m.driver);
  v("Mode", m.mode);
  v("RW", m.rw);
  v("Propagation", m.propagation);
}

struct NetworkSettings {
  std::string bridge, sandbox_id, sandbox_key;
  PortMap ports;
  bool hairpin_mode = false;
  std::string link_local_ipv6_address;
  std::int64_t link_local_ipv6_prefix_len = 0;
  // Of the default bridge, for clients older than networks; gone from API 1.52 on.
  std::string endpoint_id, gateway, global_ipv6_address;
  std::int64_t global_ipv6_prefix_len = 0;
  std::string ip_address;
  std::int64_t ip_prefix_len = 0;
  std::string ipv6_gateway, mac_address;
  std::map<std::string, EndpointSettings> networks;
};
void describe(auto& v, NetworkSettings& n) {
  Json none;
  v("Bridge", n.bridge);
  v("SandboxID", n.sandbox_id);
  v("SandboxKey", n.sandbox_key);
  v("Ports", n.ports);
  v("HairpinMode", n.hairpin_mode);
  v("LinkLocalIPv6Address", n.link_local_ipv6_address);
  v("LinkLocalIPv6PrefixLen", n.link_local_ipv6_prefix_len);
  v("SecondaryIPAddresses", none);
  v("SecondaryIPv6Addresses", none);
  v("EndpointID", n.endpoint_id);
  v("Gateway", n.gateway);
  v("GlobalIPv6Address", n.global_ipv6_address);
  v("GlobalIPv6PrefixLen", n.global_ipv6_prefix_len);
  v("IPAddress", n.ip_address);
  v("IPPrefixLen", n.ip_prefix_len);
  v("IPv6Gateway", n.ipv6_gateway);
  v("MacAddress", n.mac_address);
  v("Networks", n.networks);
}

struct DriverData {
  std::string name;
  std::optional<Labels> data;
};
void describe(auto& v, DriverData& d) {
  v("Data", d.data);
  v("Name", d.name);
}

struct ContainerInspect {
  std::string id, created, path;
  StringList args;
  ContainerState state;
  std::string image;  ///< image id
  std::string resolv_conf_path, hostname_path, hosts_path, log_path;
  std::string name;  ///< with its leading slash
  std::int64_t restart_count = 0;
  std::string driver, platform, mount_label, process_label, app_armor_profile;
  std::optional<StringList> exec_ids;
  HostConfig host_config;
  DriverData graph_driver;
  std::optional<std::int64_t> size_rw, size_root_fs;
  std::vector<MountPoint> mounts;
  ContainerConfig config;
  NetworkSettings network_settings;
};
void describe(auto& v, ContainerInspect& c) {
  v("Id", c.id);
  v("Created", c.created);
  v("Path", c.path);
  v("Args", c.args);
  v("State", c.state);
  v("Image", c.image);
  v("ResolvConfPath", c.resolv_conf_path);
  v("HostnamePath", c.hostname_path);
  v("HostsPath", c.hosts_path);
  v("LogPath", c.log_path);
  v("Name", c.name);
  v("RestartCount", c.restart_count);
  v("Driver", c.driver);
  v("Platform", c.platform);
  v("MountLabel", c.mount_label);
  v("ProcessLabel", c.process_label);
  v("AppArmorProfile", c.app_armor_profile);
  v("ExecIDs", c.exec_ids);
  v("HostConfig", c.host_config);
  v("GraphDriver", c.graph_driver);
  v.opt("SizeRw", c.size_rw);
  v.opt("SizeRootFs", c.size_root_fs);
  v("Mounts", c.mounts);
  v("Config", c.config);
  v("NetworkSettings", c.network_settings);
}

struct PortSummary {
  std::string ip;
  std::uint16_t private_port = 0, public_port = 0;
  std::string type;
};
void describe(auto& v, PortSummary& p) {
  v.opt("IP", p.ip);
  v("PrivatePort", p.private_port);
  v.opt("PublicPort", p.public_port);
  v("Type", p.type);
}
struct SummaryHostConfig {
  std::string network_mode;
  std::optional<Labels> annotations;
};
void describe(auto& v, SummaryHostConfig& h) {
  v.opt("NetworkMode", h.network_mode);
  v.opt("Annotations", h.annotations);
}
struct SummaryNetworkSettings {
  std::map<std::string, EndpointSettings> networks;
};
void describe(auto& v, SummaryNetworkSettings& n) { v("Networks", n.networks); }

struct HealthSummary {
  std::string status = "none";
  std::int64_t failing_streak = 0;
};
void describe(auto& v, HealthSummary& h) {
  v("Status", h.status);
  v("FailingStreak", h.failing_streak);
}

struct ContainerSummary {
  std::string id;
  StringList names;
  std::string image, image_id, command;
  std::int64_t created = 0;  ///< Unix seconds
  std::vector<PortSummary> ports;
  std::optional<std::int64_t> size_rw, size_root_fs;
  Labels labels;
  std::string state, status;  ///< "running", "Up 3 minutes"
  HealthSummary health;
  SummaryHostConfig host_config;
  SummaryNetworkSettings network_settings;
  std::vector<MountPoint> mounts;
};
void describe(auto& v, ContainerSummary& c) {
  v("Id", c.id);
  v("Names", c.names);
  v("Image", c.image);
  v("ImageID", c.image_id);
  v("Command", c.command);
  v("Created", c.created);
  v("Ports", c.ports);
  v.opt("SizeRw", c.size_rw);
  v.opt("SizeRootFs", c.size_root_fs);
  v("Labels", c.labels);
  v("State", c.state);
  v("Status", c.status);
  v("Health", c.health);
  v("HostConfig", c.host_config);
  v("NetworkSettings", c.network_settings);
  v("Mounts", c.mounts);
}

struct WaitError {
  std::string message;
};
void describe(auto& v, WaitError& e) { v("Message", e.message); }
struct WaitResponse {
  std::int64_t status_code = 0;
  std::optional<WaitError> error;
};
void describe(auto& v, WaitResponse& w) {
  v.opt("Error", w.error);
  v("StatusCode", w.status_code);
}

struct TopResponse {
  StringList titles;
  std::vector<StringList> processes;
};
void describe(auto& v, TopResponse& t) {
  v("Processes", t.processes);
  v("Titles", t.titles);
}

struct ExecConfig {
  std::string user;
  bool privileged = false, tty = false;
  std::optional<std::vector<std::uint64_t>> console_size;
  bool attach_stdin = false, attach_stderr = false, attach_stdout = false, detach = false;
  std::string detach_keys;
  std::optional<StringList> env;
  std::string working_dir;
  StringList cmd;
};
void describe(auto& v, ExecConfig& e) {
  v("User", e.user);
  v("Privileged", e.privileged);
  v("Tty", e.tty);
  v.opt("ConsoleSize", e.console_size);
  v("AttachStdin", e.attach_stdin);
  v("AttachStderr", e.attach_stderr);
  v("AttachStdout", e.attach_stdout);
  v("Detach", e.detach);
  v("DetachKeys", e.detach_keys);
  v("Env", e.env);
  v("WorkingDir", e.working_dir);
  v("Cmd", e.cmd);
}
struct ExecStartRequest {
  bool detach = false, tty = false;
  std::optional<std::vector<std::uint64_t>> console_size;
};
void describe(auto& v, ExecStartRequest& e) {
  v("Detach", e.detach);
  v("Tty", e.tty);
  v.opt("ConsoleSize", e.console_size);
}
struct ExecProcessConfig {
  bool tty = false;
  std::string entrypoint;
  StringList arguments;
  bool privileged = false;
  std::string user;
};
void describe(auto& v, ExecProcessConfig& p) {
  v("tty", p.tty);
  v("entrypoint", p.entrypoint);
  v("arguments", p.arguments);
  v("privileged", p.privileged);
  v.opt("user", p.user);
}
struct ExecInspect {
  std::string id;
  bool running = false;
  std::optional<std::int64_t> exit_code;
  ExecProcessConfig process_config;
  bool open_stdin = false, open_stderr = false, open_stdout = false, can_remove = false;
  std::string container_id, detach_keys;
  std::int64_t pid = 0;
};
void describe(auto& v, ExecInspect& e) {
  v("ID", e.id);
  v("Running", e.running);
  v("ExitCode", e.exit_code);
  v("ProcessConfig", e.process_config);
  v("OpenStdin", e.open_stdin);
  v("OpenStderr", e.open_stderr);
  v("OpenStdout", e.open_stdout);
  v("CanRemove", e.can_remove);
  v("ContainerID", e.container_id);
  v("DetachKeys", e.detach_keys);
  v("Pid", e.pid);
}

struct EventActor {
  std::string id;
  Labels attributes;
};
void describe(auto& v, EventActor& a) {
  v("ID", a.id);
  v("Attributes", a.attributes);
}
struct Event {
  std::string status, id, from;  ///< container and image events only; gone from API 1.52 on
  std::string type, action;
  EventActor actor;
  std::string scope = "local";
  std::int64_t time = 0, time_nano = 0;
};
void describe(auto& v, Event& e) {
  v.opt("status", e.status);
  v.opt("id", e.id);
  v.opt("from", e.from);
  v("Type", e.type);
  v("Action", e.action);
  v("Actor", e.actor);
  v("scope", e.scope);
  v("time", e.time);
  v("timeNano", e.time_nano);
}

}  // namespace spec::api
