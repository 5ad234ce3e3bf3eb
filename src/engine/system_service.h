#pragma once
/// What the engine says about itself and the host: /version and /info.

#include <string>

#include "engine/engine.h"
#include "engine/event_bus.h"
#include "engine/host_facts.h"
#include "engine/live_settings.h"
#include "engine/system.h"
#include "image/store.h"

namespace engine {

/// Numbers that only the containers and images services know.
class Inventory {
 public:
  struct Counts {
    std::int64_t running = 0, paused = 0, stopped = 0, images = 0;
  };
  virtual ~Inventory() = default;
  [[nodiscard]] virtual Counts counts() const = 0;
};

class SystemService final : public System {
 public:
  /// The collaborators outlive the service. `id` is this engine's own, made once.
  SystemService(const LiveSettings& settings, const HostFacts& host, const Inventory& inventory, const EventBus& events,
                const image::Store& images, std::string id, std::string storage_driver)
      : settings_{settings},
        host_{host},
        inventory_{inventory},
        events_{events},
        images_{images},
        id_{std::move(id)},
        storage_driver_{std::move(storage_driver)} {}

  spec::api::SystemVersion version() override;
  base::Result<spec::api::SystemInfo> info() override;
  base::Result<spec::api::DiskSpace> disk_space() override;

 private:
  const LiveSettings& settings_;
  const HostFacts& host_;
  const Inventory& inventory_;
  const EventBus& events_;
  const image::Store& images_;
  std::string id_, storage_driver_;
};

}  // namespace engine
