#include "engine/live_settings.h"

#include "codec/describe.h"
#include "codec/json.h"

namespace engine {
namespace {

HostConfigDefaults host_defaults(const Options& options, cgroup::Driver driver) {
  HostConfigDefaults defaults;
  defaults.shm_size = options.default_shm_size;
  defaults.ipc_mode = options.default_ipc_mode;
  defaults.cgroupns_mode = options.default_cgroupns_mode;
  defaults.runtime = options.default_runtime;
  // The runtime inside the shim; "runc" since clients and compose files name it as a matter of course.
  defaults.runtimes = {"caisson-runtime", "runc", "io.containerd.runc.v2"};
  for (const auto& [name, runtime] : options.runtimes) defaults.runtimes.push_back(name);
  defaults.log_driver = options.log_driver;
  defaults.log_opts = options.log_opts;
  defaults.init = options.init;
  defaults.cgroup_driver = driver;
  return defaults;
}

void take_reloadable(Options& options, const Options& wanted) {
  options.authorization_plugins = wanted.authorization_plugins;
  options.debug = wanted.debug;
  options.default_cgroupns_mode = wanted.default_cgroupns_mode;
  options.default_ipc_mode = wanted.default_ipc_mode;
  options.default_runtime = wanted.default_runtime;
  options.default_shm_size = wanted.default_shm_size;
  options.default_stop_timeout = wanted.default_stop_timeout;
  options.insecure_registries = wanted.insecure_registries;
  options.labels = wanted.labels;
  options.live_restore = wanted.live_restore;
  options.max_concurrent_downloads = wanted.max_concurrent_downloads;
  options.max_concurrent_uploads = wanted.max_concurrent_uploads;
  options.max_download_attempts = wanted.max_download_attempts;
  options.registry_mirrors = wanted.registry_mirrors;
  options.runtimes = wanted.runtimes;
  options.shutdown_timeout = wanted.shutdown_timeout;
}

std::string text_of(bool value) { return value ? "true" : "false"; }

}  // namespace

LiveSettings::LiveSettings(const Options& options, cgroup::Driver driver)
    : driver_{driver}, now_{std::make_shared<const Settings>(Settings{options, host_defaults(options, driver)})} {}

std::shared_ptr<const Settings> LiveSettings::now() const {
  const std::lock_guard lock{mutex_};
  return now_;
}

void LiveSettings::reload(const Options& wanted) {
  const std::lock_guard lock{mutex_};
  Options options = now_->options;
  take_reloadable(options, wanted);
  auto defaults = host_defaults(options, driver_);
  now_ = std::make_shared<const Settings>(Settings{std::move(options), std::move(defaults)});
}

spec::api::Labels reload_attributes(const Options& options, const std::string& hostname) {
  const auto json = [](const auto& value) { return codec::to_json(value).dump(); };
  return {{"authorization-plugins", json(options.authorization_plugins)},
          {"debug", text_of(options.debug)},
          {"default-cgroupns-mode", options.default_cgroupns_mode},
          {"default-ipc-mode", options.default_ipc_mode},
          {"default-runtime", options.default_runtime},
          {"default-shm-size", std::to_string(options.default_shm_size)},
          {"default-stop-timeout", std::to_string(options.default_stop_timeout)},
          {"insecure-registries", json(options.insecure_registries)},
          {"labels", json(options.labels)},
          {"live-restore", text_of(options.live_restore)},
          {"max-concurrent-downloads", std::to_string(options.max_concurrent_downloads)},
          {"max-concurrent-uploads", std::to_string(options.max_concurrent_uploads)},
          {"max-download-attempts", std::to_string(options.max_download_attempts)},
          {"name", hostname},
          {"registry-mirrors", json(options.registry_mirrors)},
          {"runtimes", json(options.runtimes)},
          {"shutdown-timeout", std::to_string(options.shutdown_timeout)}};
}

}  // namespace engine
