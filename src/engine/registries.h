#pragma once
/// The registries service: what is asked of a registry without an image of this engine's store. Safe from any
/// thread; blocks while the registry answers.

#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/containers.h"
#include "engine/images.h"
#include "spec/engine/registry.h"

namespace engine {

/// A name with a tag or digest (`latest` without), and how to get there.
struct RemoteName {
  std::string name;
  bool insecure = false;  ///< HTTP and unknown certificates are fine, whatever daemon.json says
  RegistryAuth auth;
};

class Registries {
 public:
  virtual ~Registries() = default;
  /// Errors: Unauthorized with docker's texts, Unavailable.
  virtual base::Result<spec::api::AuthResponse> log_in(const RegistryAuth& auth, std::stop_token stop) = 0;
  /// Filters: is-automated, is-official, stars. Errors: InvalidArgument; NotImplemented (no search there).
  virtual base::Result<std::vector<spec::api::SearchResult>> search(const std::string& term, int limit,
                                                                    const Filters& filters,
                                                                    const RegistryAuth& auth,
                                                                    std::stop_token stop) = 0;
  virtual base::Result<spec::api::DistributionInspect> inspect(const RemoteName& name, std::stop_token stop) = 0;
  virtual base::Result<spec::api::RemoteManifest> manifest(const RemoteName& name, std::stop_token stop) = 0;
  /// Errors: InvalidArgument (no index, a source in another registry), those of the registry.
  virtual base::Result<spec::api::IndexPushed> push_index(const RemoteName& name,
                                                          const spec::api::IndexPush& push,
                                                          std::stop_token stop) = 0;
};

}  // namespace engine
