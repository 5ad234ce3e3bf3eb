#include "cmd/caissond/config.h"

#include <array>
#include <deque>

#include <fmt/format.h>

#include "base/strings.h"
#include "codec/json.h"
#include "sys/file.h"

namespace caissond {
namespace {

using base::Result;
using codec::Json;

/// A key of daemon.json whose name differs from its flag's.
struct Renamed {
  std::string_view key, flag;
};
constexpr std::array kRenamed{
    Renamed{"authorization-plugins", "authorization-plugin"},
    Renamed{"default-address-pools", "default-address-pool"},
    Renamed{"default-ulimits", "default-ulimit"},
    Renamed{"dns-opts", "dns-opt"},
    Renamed{"exec-opts", "exec-opt"},
    Renamed{"features", "feature"},
    Renamed{"hosts", "host"},
    Renamed{"insecure-registries", "insecure-registry"},
    Renamed{"labels", "label"},
    Renamed{"log-opts", "log-opt"},
    Renamed{"registry-mirrors", "registry-mirror"},
    Renamed{"cdi-spec-dirs", "cdi-spec-dir"},
    Renamed{"runtimes", "add-runtime"},
    Renamed{"storage-opts", "storage-opt"},
};

/// What dockerd knows and this engine does not: refused when it would change what a user gets, since
/// ignoring it would be a lie, and only noted when nothing is lost by leaving it out.
struct Foreign {
  std::string_view name;
  char shorthand;
  bool takes_value;
  bool harmless;
};
constexpr std::array kForeign{
    Foreign{"allow-direct-routing", 0, false, false},   Foreign{"authorization-plugin", 0, true, false},
    Foreign{"bip6", 0, true, false},                    Foreign{"bridge-accept-fwmark", 0, true, false},
    Foreign{"containerd", 0, true, true},
    Foreign{"containerd-namespace", 0, true, true},     Foreign{"containerd-plugins-namespace", 0, true, true},
    Foreign{"cpu-rt-period", 0, true, false},           Foreign{"cpu-rt-runtime", 0, true, false},
    Foreign{"cri-containerd", 0, false, true},          Foreign{"default-gateway", 0, true, false},
    Foreign{"default-gateway-v6", 0, true, false},      Foreign{"default-network-opt", 0, true, false},
    Foreign{"experimental", 0, false, true},
    Foreign{"feature", 0, true, true},                  Foreign{"firewall-backend", 0, true, true},
    Foreign{"fixed-cidr-v6", 0, true, false},           Foreign{"host-gateway-ip", 0, true, false},
    Foreign{"http-proxy", 0, true, false},              Foreign{"https-proxy", 0, true, false},
    Foreign{"ip6tables", 0, false, true},               Foreign{"ip-forward-no-drop", 0, false, true},
    Foreign{"ipv6", 0, false, false},                
    Foreign{"max-download-attempts", 0, true, true},    Foreign{"metrics-addr", 0, true, false},
    Foreign{"network-control-plane-mtu", 0, true, true}, Foreign{"network-diagnostic-port", 0, true, true},
    Foreign{"no-proxy", 0, true, false},                Foreign{"node-generic-resource", 0, true, true},
    Foreign{"raw-logs", 0, false, true},                Foreign{"rootless", 0, false, false},
    Foreign{"storage-opt", 0, true, false},             Foreign{"swarm-default-advertise-addr", 0, true, true},
    Foreign{"userland-proxy", 0, false, true},          Foreign{"userland-proxy-path", 0, true, true},
    Foreign{"userns-remap", 0, true, false},
};

Result<> set_log_opt(spec::api::Labels& target, std::string_view text) {
  const auto parts = base::cut(text, "=");
  if (!parts) return base::invalid("invalid key=value pair: " + std::string{text});
  target[std::string{parts->first}] = parts->second;
  return {};
}

Result<> set_ulimit(std::map<std::string, spec::api::Ulimit>& target, std::string_view text) {
  const auto parts = base::cut(text, "=");
  if (!parts) return base::invalid("invalid ulimit argument: " + std::string{text});
  const auto limits = base::split(parts->second, ':');
  const auto soft = base::parse_int(limits[0]);
  const auto hard = limits.size() > 1 ? base::parse_int(limits[1]) : soft;
  if (!soft || !hard || limits.size() > 2) return base::invalid("invalid ulimit argument: " + std::string{text});
  const std::string name{parts->first};
  target[name] = {.name = name, .soft = *soft, .hard = *hard};
  return {};
}

Result<> set_runtime(std::map<std::string, spec::api::RuntimeInfo>& target, std::string_view text) {
  const auto parts = base::cut(text, "=");
  if (!parts) return base::invalid("invalid runtime: want NAME=PATH, got " + base::quoted(text));
  target[std::string{parts->first}].path = parts->second;
  return {};
}

/// Binds every flag. `foreign` keeps the values of kForeign, in its order.
void bind(flags::FlagSet& set, Config& config, std::deque<std::vector<std::string>>& foreign,
          std::deque<bool>& foreign_switches) {
  auto& engine = config.engine;
  set.add({.name = "add-runtime", .help = "Register an additional OCI compatible runtime"},
          flags::custom<set_runtime>(engine.runtimes, "runtime"));
  set.add({.name = "bip", .help = "IPv4 address for the default bridge"}, engine.bip);
  set.add({.name = "bridge", .shorthand = 'b', .help = "Attach containers to a network bridge"}, engine.bridge);
  set.add({.name = "cdi-spec-dir", .help = "CDI specification directories to use", .type = "list"}, engine.cdi_spec_dirs);
  set.add({.name = "cgroup-parent", .help = "Set parent cgroup for all containers"}, engine.cgroup_parent);
  set.add({.name = "config-file", .help = "Daemon configuration file"}, config.config_file);
  set.add({.name = "data-root", .help = "Root directory of persistent state"}, engine.data_root);
  set.add({.name = "debug", .shorthand = 'D', .help = "Enable debug mode"}, engine.debug);
  set.add({.name = "default-address-pool", .help = "Default address pools for node specific local networks",
           .type = "pool-options"}, engine.default_address_pools);
  set.add({.name = "default-cgroupns-mode", .help = "Default mode for containers cgroup namespace (\"host\" | \"private\")"},
          engine.default_cgroupns_mode);
  set.add({.name = "default-ipc-mode", .help = "Default mode for containers ipc (\"shareable\" | \"private\")"},
          engine.default_ipc_mode);
  set.add({.name = "default-runtime", .help = "Default OCI runtime for containers"}, engine.default_runtime);
  set.add({.name = "default-shm-size", .help = "Default shm size for containers"}, flags::bytes(engine.default_shm_size));
  set.add({.name = "default-ulimit", .help = "Default ulimits for containers"},
          flags::custom<set_ulimit>(engine.default_ulimits, "ulimit"));
  set.add({.name = "dns", .help = "DNS server to use", .type = "list"}, engine.dns);
  set.add({.name = "dns-opt", .help = "DNS options to use", .type = "list"}, engine.dns_opts);
  set.add({.name = "dns-search", .help = "DNS search domains to use", .type = "list"}, engine.dns_search);
  set.add({.name = "exec-opt", .help = "Runtime execution options", .type = "list"}, engine.exec_opts);
  set.add({.name = "exec-root", .help = "Root directory for execution state files"}, engine.exec_root);
  set.add({.name = "fixed-cidr", .help = "IPv4 subnet for the default bridge network"}, engine.fixed_cidr);
  set.add({.name = "group", .shorthand = 'G', .help = "Group for the unix socket"}, config.group);
  set.add({.name = "help", .shorthand = 'h', .help = "Print usage"}, config.help);
  set.add({.name = "host", .shorthand = 'H', .help = "Daemon socket(s) to connect to", .type = "list"}, config.hosts);
  set.add({.name = "icc", .help = "Enable inter-container communication for the default bridge network"}, engine.icc);
  set.add({.name = "init", .help = "Run an init in the container to forward signals and reap processes"}, engine.init);
  set.add({.name = "init-path", .help = "Path to the init binary"}, engine.init_path);
  set.add({.name = "insecure-registry", .help = "Enable insecure registry communication", .type = "list"},
          engine.insecure_registries);
  set.add({.name = "ip", .help = "Host IP for port publishing from the default bridge network"}, flags::ip(engine.ip));
  set.add({.name = "ip-forward", .help = "Enable IP forwarding in system configuration"}, engine.ip_forward);
  set.add({.name = "ip-masq", .help = "Enable IP masquerading for the default bridge network"}, engine.ip_masq);
  set.add({.name = "iptables", .help = "Enable addition of firewall rules (nftables)"}, engine.iptables);
  set.add({.name = "label", .help = "Set key=value labels to the daemon", .type = "list"}, engine.labels);
  set.add({.name = "live-restore", .help = "Keep containers running when the daemon stops"}, engine.live_restore);
  set.add({.name = "log-driver", .help = "Default driver for container logs"}, engine.log_driver);
  set.add({.name = "log-format", .help = "Set the logging format (\"text\"|\"json\")"}, config.log_format);
  set.add({.name = "log-level", .shorthand = 'l', .help = "Set the logging level (\"debug\"|\"info\"|\"warn\"|\"error\"|\"fatal\")"},
          config.log_level);
  set.add({.name = "log-opt", .help = "Default log driver options for containers"},
          flags::custom<set_log_opt>(engine.log_opts, "map"));
  set.add({.name = "max-concurrent-downloads", .help = "Set the max concurrent downloads"}, engine.max_concurrent_downloads);
  set.add({.name = "max-concurrent-uploads", .help = "Set the max concurrent uploads"}, engine.max_concurrent_uploads);
  set.add({.name = "mtu", .help = "Set the MTU for the default \"bridge\" network"}, engine.mtu);
  set.add({.name = "no-new-privileges", .help = "Set no-new-privileges by default for new containers"}, engine.no_new_privileges);
  set.add({.name = "pidfile", .shorthand = 'p', .help = "Path to use for daemon PID file"}, config.pidfile);
  set.add({.name = "registry-mirror", .help = "Preferred registry mirror", .type = "list"}, engine.registry_mirrors);
  set.add({.name = "seccomp-profile", .help = "Path to seccomp profile. Set to \"unconfined\" to disable the default seccomp profile"},
          engine.seccomp_profile);
  set.add({.name = "selinux-enabled", .help = "Enable selinux support"}, engine.selinux_enabled);
  set.add({.name = "shutdown-timeout", .help = "Set the default shutdown timeout"}, engine.shutdown_timeout);
  set.add({.name = "storage-driver", .shorthand = 's', .help = "Storage driver to use"}, engine.storage_driver);
  set.add({.name = "tls", .help = "Use TLS; implied by --tlsverify"}, config.tls);
  set.add({.name = "tlscacert", .help = "Trust certs signed only by this CA"}, config.tls_ca);
  set.add({.name = "tlscert", .help = "Path to TLS certificate file"}, config.tls_cert);
  set.add({.name = "tlskey", .help = "Path to TLS key file"}, config.tls_key);
  set.add({.name = "tlsverify", .help = "Use TLS and verify the remote"}, config.tls_verify);
  set.add({.name = "validate", .help = "Validate daemon configuration and exit"}, config.validate);
  set.add({.name = "version", .shorthand = 'v', .help = "Print version information and quit"}, config.version);
  for (const auto& row : kForeign) {
    const flags::Info info{.name = row.name, .shorthand = row.shorthand, .help = "", .hidden = true};
    if (row.takes_value) {
      set.add(info, foreign.emplace_back());
    } else {
      set.add(info, foreign_switches.emplace_back());
    }
  }
}

/// A value of daemon.json as the texts that its flag takes, one per occurrence.
Result<std::vector<std::string>> texts_of(const std::string& key, const Json& value) {
  std::vector<std::string> texts;
  const auto scalar = [&](const Json& item) { return item.is_string() ? item.as_string() : item.dump(); };
  if (value.is_array()) {
    for (const auto& item : value.as_array()) {
      if (item.is_object()) {  // default-address-pools: [{"base": …, "size": …}]
        std::vector<std::string> fields;
        for (const auto& [name, field] : item.as_object()) fields.push_back(name + "=" + scalar(field));
        texts.push_back(base::join(fields, ","));
      } else {
        texts.push_back(scalar(item));
      }
    }
  } else if (value.is_object()) {
    for (const auto& [name, item] : value.as_object()) {
      if (key == "default-ulimits") {
        texts.push_back(fmt::format("{}={}:{}", name, item["Soft"].as_int(), item["Hard"].as_int()));
      } else if (key == "runtimes") {
        const Json* path = item.find("path");
        if (path == nullptr || item.find("runtimeArgs") != nullptr || item.find("runtimeType") != nullptr) {
          return base::invalid("runtime " + base::quoted(name) + ": only \"path\" is supported");
        }
        texts.push_back(name + "=" + path->as_string());
      } else {
        texts.push_back(name + "=" + scalar(item));
      }
    }
  } else if (!value.is_null()) {
    texts.push_back(scalar(value));
  }
  return texts;
}

Result<> apply_file(flags::FlagSet& set, const std::string& path, bool required) {
  const auto text = sys::read_file(sys::kCwd, path, 1 << 20);
  if (text.failed_as(base::ErrorKind::NotFound) && !required) return {};
  const std::string where = "unable to configure the Docker daemon with file " + path;
  const std::string contents = TRY(base::Result<std::string>{text}.context(where));
  if (base::trim(contents).empty()) return {};
  const Json json = TRY(Json::parse(contents).context(where));
  if (!json.is_object()) return base::invalid(where + ": want a JSON object");
  std::vector<std::string> unknown, twice;
  std::vector<std::pair<std::string_view, std::vector<std::string>>> settings;
  for (const auto& [key, value] : json.as_object()) {
    std::string_view flag = key;
    for (const auto& row : kRenamed) {
      if (key == row.key) flag = row.flag;
    }
    if (set.find(flag) == nullptr) {
      unknown.push_back(key);
      continue;
    }
    auto values = TRY(texts_of(key, value).context(where));
    const bool list = value.is_array() || value.is_object();
    if (set.changed(flag) && !list) {
      twice.push_back(fmt::format("{}: (from flag, from file: {})", key, value.dump()));
    }
    settings.emplace_back(flag, std::move(values));
  }
  if (!unknown.empty()) {
    return base::invalid(fmt::format("{}: the following directives don't match any configuration option: {}", where,
                                     base::join(unknown, ", ")));
  }
  if (!twice.empty()) {
    return base::invalid(fmt::format(
        "{}: the following directives are specified both as a flag and in the configuration file: {}", where,
        base::join(twice, ", ")));
  }
  for (const auto& [flag, values] : settings) {
    for (const auto& value : values) TRY(set.set(flag, value).context(where));
  }
  return {};
}

Result<> refuse_foreign(const flags::FlagSet& set, Config& config) {
  for (const auto& row : kForeign) {
    if (!set.changed(row.name)) continue;
    if (row.harmless) {
      config.warnings.push_back(fmt::format("--{} has no effect in this engine", row.name));
    } else {
      return base::not_implemented(fmt::format("--{} is not supported by this engine: remove it", row.name));
    }
  }
  return {};
}

}  // namespace

Result<Config> read_config(std::span<char* const> arguments) {
  Config config;
  std::deque<std::vector<std::string>> foreign;
  std::deque<bool> foreign_switches;
  flags::FlagSet set;
  bind(set, config, foreign, foreign_switches);
  const auto parsed = TRY(set.parse(arguments));
  if (!parsed.arguments.empty()) {
    return base::invalid(fmt::format("\"caissond\" accepts no arguments: got {}", base::quoted(parsed.arguments[0])));
  }
  config.help = config.help || parsed.help;
  if (config.help || config.version) return config;
  TRY(apply_file(set, config.config_file, set.changed("config-file") && config.validate));
  TRY(refuse_foreign(set, config));
  config.tls = config.tls || config.tls_verify;
  return config;
}

std::string help_text() {
  Config config;
  std::deque<std::vector<std::string>> foreign;
  std::deque<bool> foreign_switches;
  flags::FlagSet set;
  bind(set, config, foreign, foreign_switches);
  return "Usage:  caissond [OPTIONS]\n\nA container engine: the Docker Engine API over images, containers, networks and "
         "volumes.\n\nOptions:\n" +
         set.help();
}

}  // namespace caissond
