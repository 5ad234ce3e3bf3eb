#pragma once
/// The settings that a reload may change, as immutable snapshots: whoever needs some takes `now()` once and works with
/// that one to its end. Safe from any thread.

#include <memory>
#include <mutex>

#include "engine/engine.h"
#include "engine/host_config.h"

namespace engine {

struct Settings {
  Options options;
  HostConfigDefaults host_defaults;
};

class LiveSettings {
 public:
  LiveSettings(const Options& options, cgroup::Driver driver);

  [[nodiscard]] std::shared_ptr<const Settings> now() const;
  /// Takes the reloadable ones of `wanted`.
  void reload(const Options& wanted);

 private:
  const cgroup::Driver driver_;
  mutable std::mutex mutex_;  // guards all below
  std::shared_ptr<const Settings> now_;
};

/// The attributes of the event `reload`: every reloadable setting, as docker writes it.
[[nodiscard]] spec::api::Labels reload_attributes(const Options& options, const std::string& hostname);

}  // namespace engine
