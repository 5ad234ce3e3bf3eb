#pragma once
/// Volumes over the `volume` module.

#include "engine/event_bus.h"
#include "engine/volumes.h"
#include "volume/store.h"

namespace engine {

/// Who uses a volume. The containers service knows.
class VolumeUsers {
 public:
  virtual ~VolumeUsers() = default;
  /// Ids of the containers, running or not, that mount it.
  [[nodiscard]] virtual std::vector<std::string> users_of_volume(const std::string& name) const = 0;
};

class VolumesService final : public Volumes {
 public:
  VolumesService(volume::Store& store, const VolumeUsers& users, EventBus& events)
      : store_{store}, users_{users}, events_{events} {}

  base::Result<std::vector<codec::Json>> list(const Filters& filters) override;
  base::Result<std::vector<codec::Json>> disk_usage() override;
  base::Result<codec::Json> inspect(const std::string& name) override;
  base::Result<codec::Json> create(const codec::Json& request) override;
  base::Result<> remove(const std::string& name, bool force) override;
  base::Result<PruneReport> prune(const Filters& filters) override;

 private:
  volume::Store& store_;
  const VolumeUsers& users_;
  EventBus& events_;
};

}  // namespace engine
