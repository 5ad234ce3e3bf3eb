#pragma once
/// /auth, /images/search, /distribution: what the daemon asks registries for. The manifest calls are this engine's
/// own.

#include <string>
#include <vector>

#include "client/client.h"
#include "client/images.h"
#include "spec/engine/registry.h"

namespace client {

class Registries {
 public:
  explicit Registries(Client& client) : client_{client} {}

  base::Result<spec::api::AuthResponse> log_in(const RegistryAuth& auth);
  base::Result<std::vector<spec::api::SearchResult>> search(const std::string& term, int limit,
                                                            const Filters& filters,
                                                            const std::optional<RegistryAuth>& auth);
  /// `name` with a tag or a digest. Errors: NotImplemented where the daemon is another engine.
  base::Result<spec::api::RemoteManifest> manifest(const std::string& name, bool insecure,
                                                   const std::optional<RegistryAuth>& auth);
  base::Result<spec::api::IndexPushed> push_index(const std::string& name, bool insecure,
                                                  const spec::api::IndexPush& push,
                                                  const std::optional<RegistryAuth>& auth);

 private:
  Client& client_;
};

}  // namespace client
