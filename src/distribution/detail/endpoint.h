#pragma once
/// Where a repository may be served, and requests to one such place: with authorization, redirects,
/// and a fresh token where the old one was refused.

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "distribution/client.h"
#include "distribution/detail/authorizer.h"
#include "distribution/detail/transfer.h"
#include "distribution/detail/trust.h"
#include "spec/reference.h"

namespace distribution::detail {

struct Place {
  std::string url;  ///< "https://registry-1.docker.io", no slash at the end
  bool mirror = false;
};
/// In the order to try them. Errors: those of certs.d.
base::Result<std::vector<Place>> places_of(const spec::Reference& reference, const Options& options,
                                           const TrustStore& trust);

/// Threads: any.
class Endpoint {
 public:
  Endpoint(Place place, Transfers& transfers, const TrustStore& trust, Credentials credentials,
           const std::string& path);

  [[nodiscard]] const Place& place() const { return place_; }
  /// GET /v2/: is a registry there, and what authorization does it want? One try.
  base::Result<> ping(std::stop_token stop);
  /// `target`: "manifests/latest", "blobs/sha256:…". Any status may come back.
  base::Result<Response> send(const std::string& method, const std::string& target,
                              const std::vector<std::string>& headers, std::stop_token stop);

 private:
  base::Result<Response> follow(Request request, std::stop_token stop);

  const Place place_;
  Transfers& transfers_;
  const TrustStore& trust_;
  const std::string base_;  ///< "https://…/v2/<path>/"
  Authorizer authorizer_;
};

}  // namespace distribution::detail
