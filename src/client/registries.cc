#include "client/registries.h"

#include <utility>

namespace client {

using base::Result;

namespace {

ApiCall manifest_call(std::string method, const std::string& name, bool insecure,
                      const std::optional<RegistryAuth>& auth) {
  ApiCall call{.method = std::move(method), .path = "/distribution/" + http::encode_path(name) + "/manifest"};
  if (insecure) call.query.add("insecure", "1");
  if (auth) call.headers.add("X-Registry-Auth", auth->encode());
  return call;
}

/// What an engine says that does not have the route.
template <class T>
Result<T> known(Result<T> answer) {
  if (answer.failed_as(base::ErrorKind::NotFound) &&
      answer.error().message().find("page not found") != std::string::npos) {
    return base::not_implemented("the daemon is no Caisson engine: it can't reach registries for manifest commands");
  }
  return answer;
}

}  // namespace

Result<spec::api::AuthResponse> Registries::log_in(const RegistryAuth& auth) {
  ApiCall call{.method = "POST", .path = "/auth"};
  call.body = codec::to_json(spec::api::AuthConfig{.username = auth.username,
                                                   .password = auth.password,
                                                   .auth = auth.auth,
                                                   .server_address = auth.server_address,
                                                   .identity_token = auth.identity_token,
                                                   .registry_token = auth.registry_token});
  return client_.get<spec::api::AuthResponse>(call);
}

Result<std::vector<spec::api::SearchResult>> Registries::search(const std::string& term, int limit,
                                                                const Filters& filters,
                                                                const std::optional<RegistryAuth>& auth) {
  ApiCall call{.path = "/images/search"};
  call.query.add("term", term);
  if (limit != 0) call.query.add("limit", std::to_string(limit));
  if (!filters.empty()) call.query.add("filters", encode_filters(filters));
  if (auth) call.headers.add("X-Registry-Auth", auth->encode());
  return client_.get<std::vector<spec::api::SearchResult>>(call);
}

Result<spec::api::RemoteManifest> Registries::manifest(const std::string& name, bool insecure,
                                                       const std::optional<RegistryAuth>& auth) {
  return known(client_.get<spec::api::RemoteManifest>(manifest_call("GET", name, insecure, auth)));
}

Result<spec::api::IndexPushed> Registries::push_index(const std::string& name, bool insecure,
                                                      const spec::api::IndexPush& push,
                                                      const std::optional<RegistryAuth>& auth) {
  ApiCall call = manifest_call("POST", name, insecure, auth);
  call.body = codec::to_json(push);
  return known(client_.get<spec::api::IndexPushed>(call));
}

}  // namespace client
