#include "cli/container/options.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/strings.h"
#include "cli/container/environment.h"
#include "cli/container/ports.h"
#include "cli/container/volumes.h"
#include "codec/json.h"

namespace cli {

using base::Result;

namespace {

using List = std::vector<std::string>;

Result<> add_stream(List& streams, std::string_view text) {
  const std::string name = base::to_lower(text);
  if (name != "stdin" && name != "stdout" && name != "stderr") {
    return base::invalid("valid streams are STDIN, STDOUT and STDERR");
  }
  streams.push_back(name);
  return {};
}

Result<> add_sysctl(std::map<std::string, std::string>& sysctls, std::string_view text) {
  static constexpr std::array<std::string_view, 8> kNames{
      "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem",
      "kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced"};
  const auto pair = base::cut(text, "=");
  const bool known = pair && (std::ranges::find(kNames, pair->first) != kNames.end() ||
                              pair->first.starts_with("net.") || pair->first.starts_with("fs.mqueue."));
  if (!known) return base::invalid(fmt::format("sysctl '{}' is not allowed", text));
  sysctls[std::string{pair->first}] = pair->second;
  return {};
}

Result<> add_device_rule(spec::api::Resources& resources, std::string_view text) {
  List rules = resources.device_cgroup_rules.value_or(List{});
  TRY(add_device_cgroup_rule(rules, text));
  resources.device_cgroup_rules = std::move(rules);
  return {};
}

Result<> set_entrypoint(ContainerOptions& options, std::string_view text) {
  options.entrypoint = text;
  options.entrypoint_given = true;
  return {};
}

/// A seccomp profile is read here: the daemon may be on another host.
Result<List> parse_security_options(const List& options) {
  List out = options;
  for (auto& option : out) {
    auto pair = base::cut(option, "=");
    const bool bare = !pair && option == "no-new-privileges";
    if (!pair && !bare) pair = base::cut(option, ":");
    const std::string_view name = pair ? pair->first : option;
    if ((!pair || pair->second.empty()) && name != "no-new-privileges") {
      return base::invalid("Invalid --security-opt: " + base::quoted(option));
    }
    if (name != "seccomp" || pair->second == "builtin" || pair->second == "unconfined") continue;
    const std::string path{pair->second};
    const auto text = read_user_file(path);
    if (!text) {
      return base::invalid(
          fmt::format("opening seccomp profile ({}) failed: {}", path, text.error().message()));
    }
    const auto json = codec::Json::parse(*text);
    if (!json) {
      return base::invalid(
          fmt::format("compacting json for seccomp profile ({}) failed: {}", path, json.error().message()));
    }
    option = "seccomp=" + json->dump();
  }
  return out;
}

Result<std::optional<spec::api::HealthConfig>> health_config(const ContainerOptions& o) {
  using Health = std::optional<spec::api::HealthConfig>;
  const int tests = !o.health_command.empty() + !o.health_http.empty() + !o.health_tcp.empty();
  if (tests > 1) return base::invalid("only one of --health-cmd, --health-http and --health-tcp can be given");
  const bool given = tests > 0 || o.health_interval.count() != 0 ||
                     o.health_timeout.count() != 0 || o.health_start_period.count() != 0 ||
                     o.health_start_interval.count() != 0 || o.health_retries != 0;
  if (o.no_healthcheck) {
    if (given || o.health_restart) return base::invalid("--no-healthcheck conflicts with --health-* options");
    return Health{{.test = {"NONE"}}};
  }
  if (!given) return Health{};
  const auto negative = [](std::string_view flag) {
    return base::invalid(fmt::format("--health-{} cannot be negative", flag));
  };
  if (o.health_interval.count() < 0) return negative("interval");
  if (o.health_timeout.count() < 0) return negative("timeout");
  if (o.health_retries < 0) return negative("retries");
  if (o.health_start_period.count() < 0) return negative("start-period");
  if (o.health_start_interval.count() < 0) return negative("start-interval");
  spec::api::HealthConfig out;
  if (!o.health_command.empty()) out.test = {"CMD-SHELL", o.health_command};
  if (!o.health_http.empty()) out.test = {"HTTP", o.health_http};
  if (!o.health_tcp.empty()) out.test = {"TCP", o.health_tcp};
  out.interval = o.health_interval.count();
  out.timeout = o.health_timeout.count();
  out.start_period = o.health_start_period.count();
  out.start_interval = o.health_start_interval.count();
  out.retries = o.health_retries;
  return Health{out};
}

Result<> check_modes(const ContainerOptions& o) {
  const auto names_container = [](std::string_view mode) {
    return mode.starts_with("container:") && mode.size() > std::string_view{"container:"}.size();
  };
  if (!o.pid.empty() && o.pid != "host" && !names_container(o.pid)) {
    return base::invalid("--pid: invalid PID mode");
  }
  if (!o.uts.empty() && o.uts != "host") return base::invalid("--uts: invalid UTS mode");
  if (!o.userns.empty() && o.userns != "host") return base::invalid("--userns: invalid USER mode");
  if (!o.cgroupns.empty() && o.cgroupns != "host" && o.cgroupns != "private") {
    return base::invalid("--cgroupns: invalid CGROUP mode");
  }
  return {};
}

std::optional<List> list_or_null(const List& list) {
  return list.empty() ? std::nullopt : std::optional{list};
}

Result<> add_devices(spec::api::Resources& resources, const ContainerOptions& o) {
  List cdi;
  resources.devices.emplace();
  for (const auto& device : o.devices) {
    if (is_cdi_device(device)) {
      cdi.push_back(device);
    } else {
      resources.devices->push_back(TRY(parse_device(device)));
    }
  }
  auto requests = o.gpus;
  if (!cdi.empty()) requests.push_back({.driver = "cdi", .device_ids = cdi});
  if (!requests.empty()) resources.device_requests = std::move(requests);
  return {};
}

Result<spec::api::ContainerConfig> container_config(const ContainerOptions& o, const List& arguments) {
  const auto wants = [&](std::string_view stream) {
    return std::ranges::find(o.attach, stream) != o.attach.end();
  };
  spec::api::ContainerConfig out;
  out.hostname = o.hostname;
  out.domainname = o.domainname;
  out.user = o.user;
  out.attach_stdin = wants("stdin") || o.interactive;
  out.attach_stdout = wants("stdout") || o.attach.empty();
  out.attach_stderr = wants("stderr") || o.attach.empty();
  out.tty = o.tty;
  out.open_stdin = o.interactive;
  out.stdin_once = out.open_stdin && out.attach_stdin;
  if (auto env = TRY(collect_env(o.env_files, o.env)); !env.empty()) out.env = std::move(env);
  out.labels = TRY(collect_labels(o.label_files, o.labels));
  if (arguments.size() > 1) out.cmd = List(arguments.begin() + 1, arguments.end());
  out.image = arguments[0];
  if (o.entrypoint_given) out.entrypoint = List{o.entrypoint};
  out.working_dir = o.working_dir;
  out.stop_signal = o.stop_signal;
  out.stop_timeout = o.stop_timeout;
  out.healthcheck = TRY(health_config(o));
  return out;
}

Result<spec::api::HostConfig> host_config(const ContainerOptions& o) {
  spec::api::HostConfig out;
  out.container_id_file = o.container_id_file;
  out.health_restart = o.health_restart;
  out.oom_score_adj = o.oom_score_adj;
  out.auto_remove = o.auto_remove;
  out.privileged = o.privileged;
  out.links = list_or_null(o.links);
  out.publish_all_ports = o.publish_all;
  out.dns = o.dns;
  out.dns_search = o.dns_search;
  out.dns_options = o.dns_options;
  out.extra_hosts = list_or_null(o.extra_hosts);
  out.volumes_from = list_or_null(o.volumes_from);
  out.ipc_mode = o.ipc;
  out.network_mode = o.networks.empty() ? "default" : o.networks[0].target;
  out.pid_mode = o.pid;
  out.uts_mode = o.uts;
  out.userns_mode = o.userns;
  out.cgroupns_mode = o.cgroupns;
  const auto capabilities = normalised_capabilities(o.cap_add, o.cap_drop);
  out.cap_add = list_or_null(capabilities.add);
  out.cap_drop = list_or_null(capabilities.drop);
  out.group_add = list_or_null(o.group_add);
  out.restart_policy = TRY(parse_restart(o.restart));
  out.readonly_rootfs = o.read_only;
  if (o.log_driver == "none" && !o.log_options.empty()) {
    return base::invalid("invalid logging opts for driver none");
  }
  out.log_config = {o.log_driver, to_map(o.log_options)};
  auto security = TRY(parse_security_options(o.security_options));
  if (std::erase(security, "systempaths=unconfined") > 0) {
    out.masked_paths.emplace();
    out.readonly_paths.emplace();
  }
  if (!o.security_options.empty()) out.security_opt = std::move(security);
  for (const auto& option : o.storage_options) {
    if (option.find('=') == std::string::npos) return base::invalid("invalid storage option");
  }
  if (!o.storage_options.empty()) out.storage_opt = to_map(o.storage_options);
  out.volume_driver = o.volume_driver;
  out.isolation = o.isolation;
  out.shm_size = o.shm_size;
  for (const auto& mount : o.tmpfs) {
    const auto pair = base::cut(mount, ":");
    if (!out.tmpfs) out.tmpfs.emplace();
    (*out.tmpfs)[std::string{pair ? pair->first : mount}] = pair ? pair->second : "";
  }
  if (!o.sysctls.empty()) out.sysctls = o.sysctls;
  out.runtime = o.runtime;
  if (!o.mounts.empty()) out.mounts = o.mounts;
  if (!o.annotations.empty()) out.annotations = o.annotations;
  out.init = o.init;
  if (o.auto_remove && !out.restart_policy.name.empty() && out.restart_policy.name != "no") {
    return base::invalid("conflicting options: cannot specify both --restart and --rm");
  }
  out.resources = o.resources;
  auto& resources = out.resources;
  resources.cgroup_parent = o.cgroup_parent;
  resources.memory_swappiness = o.swappiness;
  resources.oom_kill_disable = o.oom_kill_disable;
  resources.pids_limit = o.pids_limit;
  TRY(add_devices(resources, o));
  return out;
}

}  // namespace

Result<spec::api::RestartPolicy> parse_restart(const std::string& text) {
  spec::api::RestartPolicy out;
  if (text.empty()) return out;
  const auto pair = base::cut(text, ":");
  out.name = pair ? pair->first : text;
  if (out.name.empty()) {
    return base::invalid("invalid restart policy format: no policy provided before colon");
  }
  if (pair && !pair->second.empty()) {
    const auto count = base::parse_int(pair->second);
    if (!count) {
      return base::invalid("invalid restart policy format: maximum retry count must be an integer");
    }
    out.maximum_retry_count = *count;
  }
  return out;
}

Result<spec::api::CreateContainerRequest> ContainerOptions::request(const List& arguments) const {
  if (!mac_address.empty() && !is_mac_address(base::trim(mac_address))) {
    return base::invalid(fmt::format("{} is not a valid mac address", mac_address));
  }
  if (swappiness != -1 && (swappiness < 0 || swappiness > 100)) {
    return base::invalid(
        fmt::format("invalid value: {}. Valid memory swappiness range is 0-100", swappiness));
  }
  spec::api::CreateContainerRequest out;
  auto mounted = TRY(parse_volumes(volumes));
  auto ports = TRY(parse_published_ports(publish));
  TRY(add_exposed_ports(ports.exposed, expose));
  TRY(check_modes(*this));
  out.config = TRY(container_config(*this, arguments));
  out.host_config = TRY(host_config(*this));
  out.networking_config = TRY(networking_config(*this));
  out.config.volumes = std::move(mounted.anonymous);
  if (!mounted.binds.empty()) out.host_config.binds = std::move(mounted.binds);
  if (!ports.exposed.empty()) out.config.exposed_ports = std::move(ports.exposed);
  out.host_config.port_bindings = std::move(ports.bindings);
  return out;
}

void ContainerOptions::bind(FlagBinder& flags) {
  using flags::custom;
  // An empty list of these goes to the daemon as [] and not as null.
  resources.blkio_weight_device.emplace();
  resources.blkio_device_read_bps.emplace();
  resources.blkio_device_write_bps.emplace();
  resources.blkio_device_read_iops.emplace();
  resources.blkio_device_write_iops.emplace();
  resources.ulimits.emplace();

  flags("name", name);
  flags("hostname", hostname);
  flags("domainname", domainname);
  flags("user", user);
  flags("workdir", working_dir);
  flags("entrypoint", custom<set_entrypoint>(*this, "string"));
  flags("stop-signal", stop_signal);
  flags("stop-timeout", flags::value(stop_timeout));
  flags("platform", platform);
  flags("runtime", runtime);
  flags("isolation", isolation);
  flags("attach", custom<add_stream>(attach, "list"));
  flags("env", custom<add_env>(env, "list"));
  flags("env-file", env_files);
  flags("label", custom<add_label>(labels, "list"));
  flags("label-file", label_files);
  flags("group-add", group_add);
  flags("annotation", annotations);
  flags("sysctl", custom<add_sysctl>(sysctls, "map", "map[]"));
  flags("interactive", interactive);
  flags("tty", tty);
  flags("privileged", privileged);
  flags("read-only", read_only);
  flags("rm", auto_remove);
  flags("init", flags::value(init));
  flags("restart", restart);
  flags("cidfile", container_id_file);
  flags("cgroup-parent", cgroup_parent);

  flags("volume", volumes);
  flags("volumes-from", volumes_from);
  flags("tmpfs", tmpfs);
  flags("storage-opt", storage_options);
  flags("mount", custom<add_mount>(mounts, "mount"));
  flags("volume-driver", volume_driver);

  flags("network", custom<add_network>(networks, "network"));
  flags("net", custom<add_network>(networks, "network"));
  flags("publish", publish);
  flags("expose", expose);
  flags("network-alias", aliases);
  flags("net-alias", aliases);
  flags("link", custom<add_link>(links, "list"));
  flags("link-local-ip", custom<add_ip_address>(link_local_ips, "list"));
  flags("dns", custom<add_ip_address>(dns, "list"));
  flags("dns-search", custom<add_dns_search>(dns_search, "list"));
  flags("dns-option", dns_options);
  flags("dns-opt", dns_options);
  flags("add-host", custom<add_extra_host>(extra_hosts, "list"));
  flags("ip", flags::ip(ip));
  flags("ip6", flags::ip(ip6));
  flags("mac-address", mac_address);
  flags("publish-all", publish_all);

  flags("pid", pid);
  flags("ipc", ipc);
  flags("uts", uts);
  flags("userns", userns);
  flags("cgroupns", cgroupns);
  flags("cap-add", cap_add);
  flags("cap-drop", cap_drop);
  flags("security-opt", security_options);

  flags("memory", flags::bytes(resources.memory));
  flags("memory-reservation", flags::bytes(resources.memory_reservation));
  flags("memory-swap", flags::bytes_or_unlimited(resources.memory_swap));
  flags("memory-swappiness", swappiness);
  flags("kernel-memory", flags::bytes(unused_number));
  flags("shm-size", flags::bytes(shm_size));
  flags("oom-kill-disable", oom_kill_disable);
  flags("oom-score-adj", oom_score_adj);
  flags("pids-limit", pids_limit);
  flags("cpus", flags::nano_cpus(resources.nano_cpus));
  flags("cpu-shares", resources.cpu_shares);
  flags("cpu-period", resources.cpu_period);
  flags("cpu-quota", resources.cpu_quota);
  flags("cpu-rt-period", resources.cpu_realtime_period);
  flags("cpu-rt-runtime", resources.cpu_realtime_runtime);
  flags("cpuset-cpus", resources.cpuset_cpus);
  flags("cpuset-mems", resources.cpuset_mems);
  flags("blkio-weight", resources.blkio_weight);
  flags("blkio-weight-device", custom<add_weight>(*resources.blkio_weight_device, "list"));
  flags("device-read-bps", custom<add_throttle_bps>(*resources.blkio_device_read_bps, "list"));
  flags("device-write-bps", custom<add_throttle_bps>(*resources.blkio_device_write_bps, "list"));
  flags("device-read-iops", custom<add_throttle_iops>(*resources.blkio_device_read_iops, "list"));
  flags("device-write-iops", custom<add_throttle_iops>(*resources.blkio_device_write_iops, "list"));
  flags("ulimit", custom<add_ulimit>(*resources.ulimits, "ulimit"));
  flags("device", devices);
  flags("device-cgroup-rule", custom<add_device_rule>(resources, "list"));
  flags("gpus", custom<add_gpus>(gpus, "gpu-request"));

  flags("health-cmd", health_command);
  flags("health-http", health_http);
  flags("health-tcp", health_tcp);
  flags("health-restart", health_restart);
  flags("health-interval", health_interval);
  flags("health-timeout", health_timeout);
  flags("health-start-period", health_start_period);
  flags("health-start-interval", health_start_interval);
  flags("health-retries", health_retries);
  flags("no-healthcheck", no_healthcheck);
  flags("log-driver", log_driver);
  flags("log-opt", log_options);

  flags("cpu-count", unused_number);
  flags("cpu-percent", unused_number);
  flags("io-maxbandwidth", flags::bytes(unused_number));
  flags("io-maxiops", unused_count);
  flags("disable-content-trust", content_trust);
  flags("use-api-socket", api_socket);
}

}  // namespace cli
