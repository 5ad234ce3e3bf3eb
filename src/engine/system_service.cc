#include "engine/system_service.h"

#include "base/strings.h"
#include "base/time.h"
#include "base/version.h"
#include "engine/cgroup_driver.h"
#include "net/manager.h"
#include "sys/file.h"

namespace engine {

namespace {

std::string go_architecture(const std::string& machine) {
  if (machine == "x86_64") return "amd64";
  if (machine == "aarch64") return "arm64";
  return machine;
}

std::int64_t entries_of(const std::string& directory) {
  const auto entries = sys::list_dir(sys::kCwd, directory);
  return entries ? static_cast<std::int64_t>(entries->size()) : 0;
}

/// What a user who asks for it would not get, as docker lists it.
std::vector<std::string> warnings_of(const HostFacts& host, const Options& options) {
  std::vector<std::string> warnings;
  const auto unless = [&](bool there, std::string_view what) {
    if (!there) warnings.push_back("WARNING: No " + std::string{what});
  };
  unless(host.memory_limit, "memory limit support");
  unless(host.swap_limit, "swap limit support");
  unless(host.cpu_cfs, "cpu cfs quota support");
  unless(host.cpu_shares, "cpu shares support");
  unless(host.cpuset, "cpuset support");
  unless(host.pids, "pids limit support");
  unless(host.ipv4_forwarding || !options.ip_forward, "IPv4 forwarding: containers do not reach other hosts");
  return warnings;
}

/// The pools that networks without a subnet of their own take theirs from. They were checked when the daemon started.
std::vector<spec::api::AddressPoolInfo> pools_of(const Options& options) {
  std::vector<spec::api::AddressPoolInfo> pools;
  if (options.default_address_pools.empty()) {
    for (const auto& pool : net::default_pools()) pools.push_back({pool.base.str(), pool.size});
  }
  for (const std::string& text : options.default_address_pools) {
    spec::api::AddressPoolInfo pool;
    for (const auto part : base::split(text, ',')) {
      const auto pair = base::cut(part, "=");
      if (pair && pair->first == "base") pool.base = pair->second;
      if (pair && pair->first == "size") pool.size = base::parse_int(pair->second).value_or(0);
    }
    pools.push_back(std::move(pool));
  }
  return pools;
}

/// "http://user:secret@proxy" → "http://xxxxx:xxxxx@proxy", as docker shows it.
std::string without_password(const std::string& url) {
  const auto scheme = url.find("://");
  const auto at = url.rfind('@');
  if (scheme == std::string::npos || at == std::string::npos) return url;
  return url.substr(0, scheme + 3) + "xxxxx:xxxxx" + url.substr(at);
}

}  // namespace

spec::api::SystemVersion SystemService::version() {
  spec::api::SystemVersion out;
  const std::string version{base::kVersion};
  out.platform.name = "Caisson Engine";
  out.version = version;
  out.api_version = kApiVersion;
  const auto settings = settings_.now();
  out.min_api_version = settings->options.min_api_version;
  if (out.min_api_version.empty()) out.min_api_version = kMinApiVersion;
  out.os = "linux";
  out.arch = go_architecture(host_.machine);
  out.kernel_version = host_.kernel_release;
  out.components = {{.name = "Engine",
                     .version = version,
                     .details = spec::api::Labels{{"ApiVersion", out.api_version},
                                                  {"MinAPIVersion", out.min_api_version},
                                                  {"Os", out.os},
                                                  {"Arch", out.arch},
                                                  {"KernelVersion", out.kernel_version},
                                                  {"Experimental", "false"}}},
                    {.name = "caisson-runtime", .version = version, .details = std::nullopt},
                    {.name = "caisson-shim", .version = version, .details = std::nullopt}};
  return out;
}

base::Result<spec::api::SystemInfo> SystemService::info() {
  spec::api::SystemInfo out;
  const auto settings = settings_.now();
  const Options& options = settings->options;
  const auto counts = inventory_.counts();
  out.id = id_;
  out.containers = counts.running + counts.paused + counts.stopped;
  out.containers_running = counts.running;
  out.containers_paused = counts.paused;
  out.containers_stopped = counts.stopped;
  out.images = counts.images;
  out.driver = storage_driver_;
  out.driver_status = {};
  out.plugins = {.volume = {"local"}, .network = {"bridge", "host", "null"}, .authorization = std::nullopt,
                 .log = {"fluentd", "gelf", "journald", "json-file", "local", "syslog"}};
  if (!options.authorization_plugins.empty()) out.plugins.authorization = options.authorization_plugins;
  out.memory_limit = host_.memory_limit;
  out.swap_limit = host_.swap_limit;
  out.cpu_cfs_period = out.cpu_cfs_quota = host_.cpu_cfs;
  out.cpu_shares = host_.cpu_shares;
  out.cpu_set = host_.cpuset;
  out.pids_limit = host_.pids;
  out.oom_kill_disable = host_.oom_kill_disable;
  out.ipv4_forwarding = host_.ipv4_forwarding;
  out.debug = options.debug;
  out.n_fd = entries_of("/proc/self/fd");
  out.n_threads = entries_of("/proc/self/task");
  out.n_events_listener = static_cast<std::int64_t>(events_.listeners());
  out.system_time = base::to_rfc3339(base::now());
  out.logging_driver = options.log_driver;
  // Checked when the daemon started.
  out.cgroup_driver = name_of(cgroup_driver(options.exec_opts, host_).value_or(cgroup::Driver::Cgroupfs));
  out.cgroup_version = host_.cgroup_v2 ? "2" : "1";
  out.kernel_version = host_.kernel_release;
  out.operating_system = host_.operating_system;
  out.os_version = host_.os_version;
  out.os_type = "linux";
  out.architecture = host_.machine;
  out.index_server_address = "https://index.docker.io/v1/";
  out.registry_config.mirrors = options.registry_mirrors;
  out.registry_config.insecure_registry_cidrs = {"127.0.0.0/8"};
  out.registry_config.index_configs["docker.io"] = {
      .name = "docker.io", .mirrors = options.registry_mirrors, .secure = true, .official = true};
  for (const auto& registry : options.insecure_registries) {
    if (registry.find('/') != std::string::npos) {
      out.registry_config.insecure_registry_cidrs.push_back(registry);
    } else {
      out.registry_config.index_configs[registry] = {.name = registry, .mirrors = {}, .secure = false, .official = false};
    }
  }
  out.n_cpu = host_.cpus;
  out.mem_total = static_cast<std::int64_t>(host_.memory_bytes);
  out.docker_root_dir = options.data_root;
  out.name = host_.hostname;
  out.labels = options.labels;
  out.http_proxy = without_password(options.http_proxy);
  out.https_proxy = without_password(options.https_proxy);
  out.no_proxy = options.no_proxy;
  out.server_version = base::kVersion;
  out.runtimes = options.runtimes;
  out.runtimes["caisson-runtime"] = {.path = "caisson-runtime", .runtime_args = std::nullopt};
  out.default_runtime = options.default_runtime;
  out.live_restore_enabled = options.live_restore;
  out.init_binary = options.init_path;
  if (host_.apparmor) out.security_options.emplace_back("name=apparmor");
  if (host_.seccomp) {
    out.security_options.push_back("name=seccomp,profile=" +
                                   (options.seccomp_profile.empty() ? std::string{"builtin"} : options.seccomp_profile));
  }
  if (host_.cgroup_namespaces && host_.cgroup_v2) out.security_options.emplace_back("name=cgroupns");
  out.firewall_backend.driver = "nftables";
  out.default_address_pools = pools_of(options);
  out.warnings = warnings_of(host_, options);
  return out;
}

}  // namespace engine
