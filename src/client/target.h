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
  /// "unix:///path", "tcp://host:port" (2375, with TLS 2376, when the port is missing),
  /// "ssh://user@host:port", "" for the default.
  std::string host;
  bool tls = false;         ///< --tls
  bool tls_verify = false;  ///< --tlsverify; implies tls
  std::string ca, certificate, key;  ///< files; "" for none
  std::string api_version;           ///< "1.44": this one and no other; "" negotiates
};

/// DOCKER_HOST, DOCKER_TLS, DOCKER_TLS_VERIFY, DOCKER_CERT_PATH (default ~/.docker) and
/// DOCKER_API_VERSION. A caller puts its flags over it.
Target target_from_environment();

/// What a user calls a daemon, as docker's clients complete it: "" → the default, "h" → "tcp://h:2375",
/// ":99" → "tcp://localhost:99", "unix://" → the default socket, "ssh://h" as it stands.
/// Errors: InvalidArgument, "invalid bind address format: x".
base::Result<std::string> complete_host(std::string_view text, bool tls);

/// Loads the certificates if TLS is on. Errors: InvalidArgument (a host that can't be parsed, "unable
/// to parse docker host `x`"), NotImplemented (a scheme that is not supported: fd, npipe).
base::Result<http::Endpoint> endpoint_of(const Target& target);

}  // namespace client
