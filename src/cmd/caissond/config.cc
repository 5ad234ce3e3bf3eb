#include "cmd/caissond/config.h"

#include <fmt/format.h>

#include "api/version.h"
#include "base/strings.h"
#include "cmd/caissond/config_file.h"
#include "cmd/caissond/foreign.h"
#include "sys/file.h"

namespace caissond {
namespace {

using base::Result;

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
  // The file's form may have arguments, a line each.
  auto lines = base::split(parts->second, '\n');
  spec::api::RuntimeInfo runtime{.path = std::string{lines.front()}, .runtime_args = std::nullopt};
  if (lines.size() > 1) runtime.runtime_args.emplace(lines.begin() + 1, lines.end());
  target[std::string{parts->first}] = std::move(runtime);
  return {};
}

/// The flags of this engine.
void bind(flags::FlagSet& set, Config& config) {
  auto& engine = config.engine;
  set.add({.name = "add-runtime", .help = "Register an additional OCI compatible runtime"},
          flags::custom<set_runtime>(engine.runtimes, "runtime"));
  set.add({.name = "authorization-plugin", .help = "Authorization plugins to load", .type = "list"},
          engine.authorization_plugins);
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
  set.add({.name = "default-init", .help = "", .hidden = true}, engine.init_path);
  set.add({.name = "default-ipc-mode", .help = "Default mode for containers ipc (\"shareable\" | \"private\")"},
          engine.default_ipc_mode);
  set.add({.name = "default-runtime", .help = "Default OCI runtime for containers"}, engine.default_runtime);
  set.add({.name = "default-shm-size", .help = "Default shm size for containers"}, flags::bytes(engine.default_shm_size));
  set.add({.name = "default-stop-timeout", .help = "Set the default container stop timeout in seconds (0 to terminate immediately)"},
          engine.default_stop_timeout);
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
  set.add({.name = "http-proxy", .help = "HTTP proxy URL to use for outgoing traffic"}, engine.http_proxy);
  set.add({.name = "https-proxy", .help = "HTTPS proxy URL to use for outgoing traffic"}, engine.https_proxy);
  set.add({.name = "icc", .help = "Enable inter-container communication for the default bridge network"}, engine.icc);
  set.add({.name = "image-budget", .help = "Remove the images used least lately when all of them take more than this"},
          flags::bytes(engine.image_budget));
  set.add({.name = "init", .help = "Run an init in the container to forward signals and reap processes"}, engine.init);
  set.add({.name = "init-path", .help = "Path to the init binary"}, engine.init_path);
  set.add({.name = "insecure-registry", .help = "Enable insecure registry communication", .type = "list"},
          engine.insecure_registries);
  set.add({.name = "ip", .help = "Host IP for port publishing from the default bridge network"}, flags::ip(engine.ip));
  set.add({.name = "ip-forward", .help = "Enable IP forwarding in system configuration"}, engine.ip_forward);
  set.add({.name = "ip-masq", .help = "Enable IP masquerading for the default bridge network"}, engine.ip_masq);
  set.add({.name = "iptables", .help = "Enable addition of firewall rules (nftables)"}, engine.iptables);
  set.add({.name = "label", .help = "Set key=value labels to the daemon", .type = "list"}, engine.labels);
  set.add({.name = "layer-blobs", .help = "What becomes of a layer's blob once unpacked (\"drop-rebuildable\"|\"keep\")"},
          engine.layer_blobs);
  set.add({.name = "live-restore", .help = "Keep containers running when the daemon stops"}, engine.live_restore);
  set.add({.name = "log-driver", .help = "Default driver for container logs"}, engine.log_driver);
  set.add({.name = "log-format", .help = "Set the logging format (\"text\"|\"json\")"}, config.log_format);
  set.add({.name = "log-level", .shorthand = 'l', .help = "Set the logging level (\"debug\"|\"info\"|\"warn\"|\"error\"|\"fatal\")"},
          config.log_level);
  set.add({.name = "log-opt", .help = "Default log driver options for containers"},
          flags::custom<set_log_opt>(engine.log_opts, "map"));
  set.add({.name = "max-concurrent-downloads", .help = "Set the max concurrent downloads"}, engine.max_concurrent_downloads);
  set.add({.name = "max-concurrent-uploads", .help = "Set the max concurrent uploads"}, engine.max_concurrent_uploads);
  set.add({.name = "max-download-attempts", .help = "Set the max download attempts for each pull"}, engine.max_download_attempts);
  set.add({.name = "metrics-addr", .help = "Set address and port to serve the metrics on"}, config.metrics_address);
  set.add({.name = "min-api-version", .help = "", .hidden = true}, engine.min_api_version);
  set.add({.name = "mtu", .help = "Set the MTU for the default \"bridge\" network"}, engine.mtu);
  set.add({.name = "no-new-privileges", .help = "Set no-new-privileges by default for new containers"}, engine.no_new_privileges);
  set.add({.name = "no-proxy", .help = "Comma-separated list of hosts or IP addresses for which the proxy is skipped"},
          engine.no_proxy);
  set.add({.name = "pidfile", .shorthand = 'p', .help = "Path to use for daemon PID file"}, config.pidfile);
  set.add({.name = "registry-mirror", .help = "Preferred registry mirror", .type = "list"}, engine.registry_mirrors);
  set.add({.name = "resolv-conf", .help = "", .hidden = true}, engine.resolv_conf);
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
}

/// What --tls and its like mean for each other.
void settle_tls(Config& config, const flags::FlagSet& given) {
  // As dockerd: --tlsverify=false alone still asks for TLS, without looking at who comes.
  config.tls = config.tls || config.tls_verify || given.changed("tlsverify");
}

Result<> check(const Config& config) {
  if (const auto level = base::log::parse_level(config.log_level); !level) return level.error();
  if (config.log_format != "text" && config.log_format != "json") {
    return base::invalid("invalid log format: " + config.log_format);
  }
  if (!config.engine.min_api_version.empty()) TRY(api::check_minimum(config.engine.min_api_version));
  if (config.tls && (config.tls_cert.empty() || config.tls_key.empty())) {
    return base::invalid("could not load TLS configuration: --tls needs --tlscert and --tlskey");
  }
  if (config.tls_verify && config.tls_ca.empty()) {
    return base::invalid("could not load TLS configuration: --tlsverify needs --tlscacert");
  }
  return engine::check_options(config.engine);
}

}  // namespace

Result<Config> read_config(std::span<char* const> arguments) {
  Config config;
  ForeignFlags foreign;
  flags::FlagSet given;
  bind(given, config);
  foreign.bind(given);
  const auto parsed = TRY(given.parse(arguments));
  if (!parsed.arguments.empty()) {
    return base::invalid(fmt::format("\"caissond\" accepts no arguments: got {}", base::quoted(parsed.arguments[0])));
  }
  config.help = config.help || parsed.help;
  if (config.help || config.version) return config;
  if (given.changed("config-file") && !TRY(sys::exists(sys::kCwd, config.config_file))) {
    config.warnings.push_back(config.config_file + " is not there: the flags alone decide");
  }
  // A set of its own over the same variables: what it calls initial is what the flags have set.
  flags::FlagSet current;
  bind(current, config);
  foreign.bind_again(current);
  TRY(apply_file(given, current, config.config_file));
  TRY(foreign.judge(config.warnings));
  settle_tls(config, given);
  TRY(check(config));
  return config;
}

std::vector<std::string> need_restart(Config& now, Config& wanted) {
  flags::FlagSet before, after;
  bind(before, now);
  bind(after, wanted);
  std::vector<std::string> names;
  for (const Key& key : daemon_json_keys()) {
    const auto* const was = before.find(key.flag_name());
    const auto* const is = after.find(key.flag_name());
    if (was == nullptr || key.reloadable || was->value.initial == is->value.initial) continue;
    names.emplace_back(key.name);
  }
  return names;
}

std::string help_text() {
  Config config;
  flags::FlagSet set;
  bind(set, config);
  return "Usage:  caissond [OPTIONS]\n\nA container engine: the Docker Engine API over images, containers, networks and "
         "volumes.\n\nOptions:\n" +
         set.help();
}

}  // namespace caissond
