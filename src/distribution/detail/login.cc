#include "distribution/detail/login.h"

#include <optional>
#include <utility>

#include "base/log.h"
#include "base/strings.h"
#include "distribution/detail/endpoint.h"
#include "spec/reference.h"

namespace distribution::detail {

using base::Error;
using base::ErrorKind;
using base::Result;

Result<std::string> domain_of_server(std::string_view server) {
  std::string_view host = server;
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (host.starts_with(scheme)) host.remove_prefix(scheme.size());
  }
  host = host.substr(0, host.find('/'));
  if (server.empty() || host == "index.docker.io" || host == "registry-1.docker.io") return std::string{"docker.io"};
  if (!spec::is_registry_host(host)) {
    return base::invalid("unable to parse server address: " + base::quoted(server) + ": want HOST[:PORT]");
  }
  return std::string{host};
}

Result<std::string> log_in(const Options& options, const std::string& server, const Credentials& credentials,
                           std::stop_token stop) {
  TrustStore trust{options.certs_dir, options.insecure_registries};
  Transfers transfers{options.user_agent, Timeouts{options.connect_timeout, options.stall_timeout}};
  std::optional<Error> failure;
  // Mirrors don't know the registry's users: the places to push to are the registry itself.
  for (const Place& place : TRY(places_of(TRY(domain_of_server(server)), options, trust, Access::Push))) {
    Endpoint endpoint{place, transfers, trust, credentials, {}, {}, LoginKind::Kept};
    auto pinged = endpoint.ping(stop);
    if (pinged) return endpoint.log_in(std::move(stop));
    if (stop.stop_requested()) return std::move(pinged.error());
    base::log::debug("login to {}: {}", place.url, pinged.error().message());
    failure = std::move(pinged.error());
  }
  CAISSON_INVARIANT(failure.has_value());
  return *std::move(failure);
}

}  // namespace distribution::detail
