#pragma once
/// Registries over the `distribution` module. Holds no connection.

#include "distribution/client.h"
#include "engine/registries.h"

namespace engine {

class RegistriesService final : public Registries {
 public:
  /// The client outlives the service.
  explicit RegistriesService(distribution::Client& client) : client_{client} {}

  base::Result<spec::api::AuthResponse> log_in(const RegistryAuth& auth, std::stop_token stop) override;
  base::Result<std::vector<spec::api::SearchResult>> search(const std::string& term, int limit,
                                                            const Filters& filters, const RegistryAuth& auth,
                                                            std::stop_token stop) override;
  base::Result<spec::api::DistributionInspect> inspect(const RemoteName& name, std::stop_token stop) override;
  base::Result<spec::api::RemoteManifest> manifest(const RemoteName& name, std::stop_token stop) override;
  base::Result<spec::api::IndexPushed> push_index(const RemoteName& name, const spec::api::IndexPush& push,
                                                  std::stop_token stop) override;

 private:
  distribution::Client& client_;
};

/// The part of it that a registry wants.
[[nodiscard]] distribution::Credentials credentials_of(const RegistryAuth& auth);

}  // namespace engine
