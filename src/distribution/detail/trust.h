#pragma once
/// Which hosts are trusted how: certs.d and the insecure registries.
///
///   <certs_dir>/<host[:port]>/*.crt    authorities, besides the system's
///   <certs_dir>/<host[:port]>/*.cert   a client certificate; its key beside it as *.key
///
/// Source: docs.docker.com/engine/security/certificates.

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "distribution/detail/hosts.h"
#include "distribution/detail/transfer.h"

namespace distribution::detail {

/// Any thread, but for `add`, which is for before it is used.
class TrustStore {
 public:
  TrustStore(std::string certs_dir, std::vector<std::string> insecure);

  /// What hosts.toml says of a place. Errors: those of reading its files.
  base::Result<> add(const Host& host);

  /// HTTP, and certificates that nobody vouches for, are fine. `host_port`: "localhost:5000", "[::1]". Names are
  /// resolved where the insecure registries have a network, as docker does.
  [[nodiscard]] bool is_insecure(std::string_view host_port) const;
  /// Errors: InvalidArgument (a certificate without its key), those of reading files.
  base::Result<Trust> for_host(std::string_view host_port) const;
  /// As for_host, of a whole URL.
  base::Result<Trust> for_url(const std::string& url) const;

 private:
  [[nodiscard]] bool resolves_into_network(const std::string& host) const;

  const std::string certs_dir_;
  const std::vector<std::string> insecure_;
  std::map<std::string, Trust> of_origins_;  // by Url::origin()
  mutable std::mutex mutex_;
  mutable std::map<std::string, bool> resolved_;  // guarded by mutex_: names, and whether in a network
};

/// "10.0.0.0/8" contains "10.1.2.3"; for IPv4 and IPv6. False for what is no address or no network.
[[nodiscard]] bool network_contains(std::string_view network, std::string_view address);

}  // namespace distribution::detail
