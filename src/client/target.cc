#include "client/target.h"

#include <cstdlib>

#include <fmt/format.h>

#include "base/strings.h"

namespace client {

using base::Result;

namespace {

std::string environment(const char* name) {
  const char* value = ::getenv(name);  // NOLINT(concurrency-mt-unsafe): before any thread
  return value == nullptr ? std::string{} : value;
}

Result<http::Endpoint> parse_host(std::string_view host, bool tls) {
  const auto scheme = base::cut(host, "://");
  if (!scheme || scheme->second.empty()) {
    return base::invalid(fmt::format("unable to parse docker host `{}`", host));
  }
  http::Endpoint out;
  if (scheme->first == "unix") {
    out.unix_path = scheme->second;
    return out;
  }
  if (scheme->first != "tcp" && scheme->first != "http" && scheme->first != "https") {
    return base::not_implemented(
        fmt::format("unsupported scheme in docker host `{}`: want unix:// or tcp://", host));
  }
  std::string_view address = scheme->second.substr(0, scheme->second.find('/'));
  out.port = tls ? 2376 : 2375;
  const auto colon = address.rfind(':');
  const auto bracket = address.rfind(']');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    const auto port = base::parse_uint(address.substr(colon + 1));
    if (!port || *port == 0 || *port > UINT16_MAX) {
      return base::invalid(fmt::format("unable to parse docker host `{}`", host));
    }
    out.port = static_cast<std::uint16_t>(*port);
    address = address.substr(0, colon);
  }
  if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
  out.host = address.empty() ? "127.0.0.1" : std::string{address};
  return out;
}

}  // namespace

Target target_from_environment() {
  Target out;
  out.host = environment("DOCKER_HOST");
  out.tls = !environment("DOCKER_TLS").empty();
  out.tls_verify = !environment("DOCKER_TLS_VERIFY").empty();
  out.api_version = environment("DOCKER_API_VERSION");
  std::string directory = environment("DOCKER_CERT_PATH");
  if (directory.empty()) {
    const std::string config = environment("DOCKER_CONFIG");
    directory = config.empty() ? environment("HOME") + "/.docker" : config;
  }
  out.ca = directory + "/ca.pem";
  out.certificate = directory + "/cert.pem";
  out.key = directory + "/key.pem";
  return out;
}

Result<http::Endpoint> endpoint_of(const Target& target) {
  const bool tls = target.tls || target.tls_verify;
  auto endpoint = TRY(parse_host(target.host.empty() ? kDefaultHost : std::string_view{target.host}, tls));
  if (tls && endpoint.unix_path.empty()) {
    const http::TlsFiles files{target.ca, target.certificate, target.key};
    const auto verify = target.tls_verify ? http::VerifyPeer::Yes : http::VerifyPeer::No;
    endpoint.tls = TRY(http::TlsContext::client(files, verify));
  }
  return endpoint;
}

}  // namespace client
