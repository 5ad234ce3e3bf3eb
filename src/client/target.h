#pragma once
/// Where the daemon is, from docker's flags and environment.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/client.h"

namespace client {

inline constexpr std::string_view kDefaultHost = "unix:///run/caisson/caissond.sock";

struct Target {
  /// "unix:///path", "tcp://host:port" (2375, with TLS 2376, when the port is missing), "" for the
  /// default.
  std::string host;
  bool tls = false;         ///< --tls
  bool tls_verify = false;  ///< --tlsverify; implies tls
  std::string ca, certificate, key;
  std::string api_version;  ///< "1.44": this one and no other; "" negotiates
};

/// DOCKER_HOST, DOCKER_TLS, DOCKER_TLS_VERIFY, DOCKER_CERT_PATH (default ~/.docker) and
/// DOCKER_API_VERSION. A caller puts its flags over it.
Target target_from_environment();

/// Loads the certificates if TLS is on. Errors: InvalidArgument (a host that can't be parsed, "unable
/// to parse docker host `x`"), NotImplemented (a scheme that is not supported: fd, ssh, npipe).
base::Result<http::Endpoint> endpoint_of(const Target& target);

}  // namespace client
