#include "client/target.h"

#include <cstdlib>

#include <fmt/format.h>

#include "base/strings.h"
#include "client/ssh.h"

namespace client {

using base::Result;

namespace {

std::string environment(const char* name) {
  const char* value = ::getenv(name);  // NOLINT(concurrency-mt-unsafe): before any thread
  return value == nullptr ? std::string{} : value;
}

Result<http::Endpoint> parse_host(std::string_view host, bool tls) {
  const auto scheme = base::cut(host, "://");
  // An ssh without a name has an error of its own.
  if (!scheme || (scheme->second.empty() && scheme->first != "ssh")) {
    return base::invalid(fmt::format("unable to parse docker host `{}`", host));
  }
  http::Endpoint out;
  if (scheme->first == "unix") {
    out.unix_path = scheme->second;
    return out;
  }
  if (scheme->first == "ssh") {
    out.dialer = make_ssh_dialer(TRY(parse_ssh_host(host)));
    return out;
  }
  if (scheme->first != "tcp" && scheme->first != "http" && scheme->first != "https") {
    return base::not_implemented(
        fmt::format("unsupported scheme in docker host `{}`: want unix://, tcp:// or ssh://", host));
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

/// The part behind "tcp://": host, port or both; what is missing is the default's.
Result<std::string> complete_tcp(std::string_view address, std::string_view text, bool tls) {
  std::string_view path;
  if (const auto slash = address.find('/'); slash != std::string_view::npos) {
    path = address.substr(slash);
    address = address.substr(0, slash);
  }
  std::string_view host = address;
  std::string_view port;
  const auto colon = address.rfind(':');
  const bool is_bare_v6 = !address.starts_with('[') && address.find(':') != colon;
  if (address.starts_with('[')) {
    // "[::1]" without a port is an error to docker, too.
    if (colon == std::string_view::npos || colon < address.find(']')) {
      return base::invalid(fmt::format("invalid bind address format: {}", address));
    }
  }
  if (colon != std::string_view::npos && !is_bare_v6) {
    host = address.substr(0, colon);
    port = address.substr(colon + 1);
  }
  if (!port.empty() && !base::parse_uint(port)) {
    return base::invalid(fmt::format("parse {}: invalid port {} after host", base::quoted(text),
                                     base::quoted(address.substr(colon))));
  }
  if (host.empty()) host = "localhost";
  if (port.empty()) port = tls ? "2376" : "2375";
  return is_bare_v6 ? fmt::format("tcp://[{}]:{}{}", host, port, path)
                    : fmt::format("tcp://{}:{}{}", host, port, path);
}

}  // namespace

Result<std::string> complete_host(std::string_view text, bool tls) {
  const std::string_view host = base::trim(text);
  if (host.empty()) return std::string{tls ? "tcp://localhost:2376" : kDefaultHost};
  const auto scheme = base::cut(host, "://");
  if (!scheme) return complete_tcp(host, host, tls);
  const auto& [name, rest] = *scheme;
  if (name == "tcp") return complete_tcp(rest, host, tls);
  if (name == "unix") return std::string{rest.empty() ? kDefaultHost : host};
  if (name == "ssh" || name == "fd" || name == "npipe") return std::string{host};
  return base::invalid(fmt::format("invalid bind address format: {}", host));
}

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
  if (tls && endpoint.unix_path.empty() && !endpoint.dialer) {
    const http::TlsFiles files{target.ca, target.certificate, target.key};
    const auto verify = target.tls_verify ? http::VerifyPeer::Yes : http::VerifyPeer::No;
    endpoint.tls = TRY(http::TlsContext::client(files, verify));
  }
  return endpoint;
}

}  // namespace client
