#pragma once
/// Parts of `update` that docker does not have: ports, labels, environment and mounts of a container that
/// exists. Everything is checked before anything changes.

#include <vector>

#include "engine/containers/core.h"

namespace engine {

/// Writes the changes into `record`, a copy. Errors: InvalidArgument (a port, a label, a variable, a mount
/// that is none or is there already), NotFound (nothing there to remove).
base::Result<> change_config(Core& core, Record& record, const spec::api::ConfigChanges& changes);

/// What was done in the world for a change, undone unless it is kept.
class AppliedChanges {
 public:
  AppliedChanges(Core& core, std::vector<volume::Volume> volumes) : core_{core}, volumes_{std::move(volumes)} {}
  AppliedChanges(AppliedChanges&& other) noexcept
      : core_{other.core_}, volumes_{std::exchange(other.volumes_, {})}, endpoint_{std::exchange(other.endpoint_, {})} {}
  AppliedChanges& operator=(AppliedChanges&&) = delete;
  ~AppliedChanges();
  /// Publishes the ports of `after` on the running container's endpoint. Errors: Conflict (taken), Internal.
  base::Result<> publish_ports(const Record& after);
  void keep();

 private:
  Core& core_;
  std::vector<volume::Volume> volumes_;
  std::optional<net::Endpoint> endpoint_;  ///< as it was
};

/// New volumes are made, ports of a running container are published and no longer published. `warnings`
/// says what waits for the next start.
base::Result<AppliedChanges> apply_changes(Core& core, const Record& before, const Record& after,
                                           spec::api::StringList& warnings);

}  // namespace engine
