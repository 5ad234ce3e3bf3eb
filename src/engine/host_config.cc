#include "engine/host_config.h"

#include <algorithm>
#include <array>

#include "base/strings.h"
#include "engine/cgroup_driver.h"
#include "engine/health_check.h"
#include "engine/oci/capabilities.h"
#include "engine/oci/spec_builder.h"
#include "engine/signals.h"

namespace engine {
namespace {

using spec::api::StringList;
using Warnings = std::vector<std::string>;

bool given(const auto& list) { return list && !list->empty(); }
base::Error conflicting(std::string_view what) {
  return base::invalid("conflicting options: " + std::string{what});
}

base::Result<> check_duration(std::string_view what, std::int64_t nanoseconds) {
  if (nanoseconds != 0 && nanoseconds < 1'000'000) {
    return base::invalid(std::string{what} + " in Healthcheck cannot be less than 1ms");
  }
  return {};
}

base::Result<> check_config(spec::api::ContainerConfig& config) {
  if (!config.working_dir.empty() && !config.working_dir.starts_with('/')) {
    return base::invalid("the working directory '" + config.working_dir +
                         "' is invalid, it needs to be an absolute path");
  }
  if (!config.stop_signal.empty()) TRY(parse_signal(config.stop_signal));
  if (config.hostname.size() > 63) return base::invalid("invalid hostname: " + base::quoted(config.hostname) + " is longer than 63 bytes");
  if (config.healthcheck) {
    const spec::api::HealthConfig& health = *config.healthcheck;
    TRY(check_duration("Interval", health.interval));
    TRY(check_duration("Timeout", health.timeout));
    TRY(check_duration("StartPeriod", health.start_period));
    TRY(check_duration("StartInterval", health.start_interval));
    if (health.retries < 0) return base::invalid("Retries in Healthcheck cannot be negative");
  }
  return {};
}

base::Result<> check_health(const spec::api::ContainerConfig& config, const spec::api::HostConfig& host) {
  const auto check = TRY(parse_health_check(config));
  if (!host.health_restart) return {};
  if (!check) return base::invalid("HealthRestart needs a health check, of the image or by --health-cmd");
  if (host.auto_remove) return base::invalid("can't create 'AutoRemove' container with HealthRestart");
  return {};
}

base::Result<> check_network_mode(const spec::api::ContainerConfig& config, const spec::api::HostConfig& host) {
  const bool is_host = host.network_mode == "host";
  const bool is_container = host.network_mode.starts_with("container:");
  if (is_container && joined_container(host.network_mode).empty()) {
    return base::invalid("invalid container format container:<name|id>");
  }
  const bool has_hostname = !config.hostname.empty();
  if (host.uts_mode == "host" && has_hostname) return conflicting("hostname and the UTS mode");
  if (is_container && has_hostname) return conflicting("hostname and the network mode");
  if ((is_host || is_container) && given(host.links)) {
    return conflicting(std::string{is_host ? "host" : "container"} +
                       " type networking can't be used with links. This would result in undefined behavior");
  }
  if (is_container && given(host.dns)) return conflicting("dns and the network mode");
  if (is_container && given(host.extra_hosts)) {
    return conflicting("custom host-to-IP mapping and the network mode");
  }
  if (is_container && (given(host.port_bindings) || host.publish_all_ports)) {
    return conflicting("port publishing and the container type network mode");
  }
  if (is_container && given(config.exposed_ports)) {
    return conflicting("port exposing and the container type network mode");
  }
  if ((is_host || is_container) && !config.mac_address.empty()) {
    return conflicting("mac-address and the network mode");
  }
  return {};
}

bool is_one_of(std::string_view mode, std::initializer_list<std::string_view> names) {
  return std::ranges::find(names, mode) != names.end();
}
bool is_container_mode(std::string_view mode) { return !joined_container(mode).empty(); }

base::Result<> check_modes(const spec::api::HostConfig& host) {
  const auto invalid = [](std::string_view what, const std::string& mode) {
    return base::invalid("invalid " + std::string{what} + " mode: " + mode);
  };
  if (!is_one_of(host.ipc_mode, {"", "none", "private", "shareable", "host"}) && !is_container_mode(host.ipc_mode)) {
    return invalid("IPC", host.ipc_mode);
  }
  if (!is_one_of(host.pid_mode, {"", "host"}) && !is_container_mode(host.pid_mode)) return invalid("PID", host.pid_mode);
  if (!is_one_of(host.uts_mode, {"", "host"})) return invalid("UTS", host.uts_mode);
  if (!is_one_of(host.userns_mode, {"", "host"})) return invalid("user namespace", host.userns_mode);
  if (!is_one_of(host.cgroupns_mode, {"", "host", "private"})) return invalid("cgroup namespace", host.cgroupns_mode);
  if (!is_one_of(host.isolation, {"", "default"})) {
    return base::invalid("invalid isolation '" + host.isolation + "' on linux");
  }
  return {};
}

base::Result<> check_port(std::string_view spec) {
  const auto parts = base::cut(spec, "/");
  const std::string_view port = parts ? parts->first : spec;
  const std::string_view protocol = parts ? parts->second : "tcp";
  const auto number = base::parse_uint(port);
  if (!number || *number == 0 || *number > 65535) {
    return base::invalid("invalid port specification: " + base::quoted(spec));
  }
  if (!is_one_of(protocol, {"tcp", "udp", "sctp"})) return base::invalid("invalid proto: " + std::string{protocol});
  return {};
}

base::Result<> check_ports(const spec::api::ContainerConfig& config, const spec::api::HostConfig& host) {
  if (config.exposed_ports) {
    for (const auto& [port, none] : *config.exposed_ports) TRY(check_port(port));
  }
  if (!host.port_bindings) return {};
  for (const auto& [port, bindings] : *host.port_bindings) {
    TRY(check_port(port));
    for (const spec::api::PortBinding& binding : bindings.value_or(std::vector<spec::api::PortBinding>{})) {
      if (binding.host_port.empty()) continue;
      const auto range = base::cut(binding.host_port, "-");
      const auto first = base::parse_uint(range ? range->first : std::string_view{binding.host_port});
      const auto last = range ? base::parse_uint(range->second) : first;
      if (!first || !last || *last > 65535 || *last < *first) {
        return base::invalid("invalid port specification: " + base::quoted(binding.host_port));
      }
    }
  }
  return {};
}

void fill_defaults(spec::api::HostConfig& host, const HostFacts& facts, const HostConfigDefaults& defaults) {
  if (host.network_mode.empty() || host.network_mode == "default") host.network_mode = "bridge";
  if (host.ipc_mode.empty()) host.ipc_mode = defaults.ipc_mode;
  if (host.shm_size == 0) host.shm_size = defaults.shm_size;
  if (host.restart_policy.name.empty()) host.restart_policy.name = "no";
  if (host.runtime.empty()) host.runtime = defaults.runtime;
  if (host.log_config.type.empty()) host.log_config.type = defaults.log_driver;
  if (host.log_config.type == defaults.log_driver) {
    host.log_config.config.insert(defaults.log_opts.begin(), defaults.log_opts.end());
  }
  if (host.cgroupns_mode.empty()) {
    host.cgroupns_mode = !defaults.cgroupns_mode.empty() ? defaults.cgroupns_mode
                         : facts.cgroup_v2               ? "private"
                                                         : "host";
  }
  if (host.privileged) {
    host.masked_paths.reset();
    host.readonly_paths.reset();
  } else {
    if (!host.masked_paths) host.masked_paths = oci::default_masked_paths(facts);
    if (!host.readonly_paths) host.readonly_paths = oci::default_readonly_paths();
  }
  if (!host.init && defaults.init) host.init = true;
  if (host.console_size.size() != 2) host.console_size = {0, 0};
  spec::api::Resources& r = host.resources;
  if (r.memory > 0 && r.memory_swap == 0) r.memory_swap = r.memory * 2;
  if (!r.oom_kill_disable && facts.oom_kill_disable) r.oom_kill_disable = false;
}

}  // namespace

base::Result<> check_restart_policy(const spec::api::HostConfig& host) {
  const spec::api::RestartPolicy& policy = host.restart_policy;
  if (!is_one_of(policy.name, {"", "no", "always", "unless-stopped", "on-failure"})) {
    return base::invalid("invalid restart policy: unknown policy '" + policy.name +
                         "'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'");
  }
  if (policy.maximum_retry_count != 0 && policy.name != "on-failure") {
    return base::invalid("invalid restart policy: maximum retry count can only be used with 'on-failure'" +
                         std::string{policy.maximum_retry_count < 0 ? " and cannot be negative" : ""});
  }
  if (policy.maximum_retry_count < 0) {
    return base::invalid("invalid restart policy: maximum retry count cannot be negative");
  }
  if (host.auto_remove && !is_one_of(policy.name, {"", "no"})) {
    return base::invalid("can't create 'AutoRemove' container with restart policy");
  }
  return {};
}

std::string_view joined_container(std::string_view mode) {
  constexpr std::string_view prefix = "container:";
  return mode.starts_with(prefix) ? mode.substr(prefix.size()) : std::string_view{};
}

base::Result<Warnings> settle_host_config(spec::api::ContainerConfig& config, spec::api::HostConfig& host,
                                          const HostFacts& facts, const HostConfigDefaults& defaults) {
  Warnings warnings;
  TRY(check_config(config));
  TRY(check_health(config, host));
  TRY(check_network_mode(config, host));
  TRY(check_modes(host));
  TRY(check_cgroup_parent(host.resources.cgroup_parent, defaults.cgroup_driver));
  TRY(check_restart_policy(host));
  TRY(check_ports(config, host));
  if (host.shm_size < 0) return base::invalid("SHM size can not be less than 0");
  if (host.oom_score_adj < -1000 || host.oom_score_adj > 1000) {
    return base::invalid("Invalid value " + std::to_string(host.oom_score_adj) +
                         ", range for oom score adj is [-1000, 1000]");
  }
  const oci::CapabilityRequest capabilities{host.cap_add.value_or(StringList{}), host.cap_drop.value_or(StringList{}),
                                            host.privileged};
  TRY(oci::choose_capabilities(capabilities, facts.capabilities));
  TRY(oci::parse_security_options(host.security_opt.value_or(StringList{})));

  fill_defaults(host, facts, defaults);
  if (host.runtime != defaults.runtime &&
      std::ranges::find(defaults.runtimes, host.runtime) == defaults.runtimes.end()) {
    return base::invalid("unknown or invalid runtime name: " + host.runtime);
  }
  if (given(host.storage_opt)) {
    return base::invalid("--storage-opt is supported only for overlay over xfs with 'pquota' mount option");
  }
  TRY(settle_resources(host.resources, facts, warnings));
  if (host.network_mode == "host" && given(host.port_bindings)) {
    warnings.emplace_back("Published ports are discarded when using host network mode");
  }
  if (!facts.ipv4_forwarding && host.network_mode != "host" && host.network_mode != "none") {
    warnings.emplace_back("IPv4 forwarding is disabled. Networking will not work.");
  }
  return warnings;
}

}  // namespace engine
