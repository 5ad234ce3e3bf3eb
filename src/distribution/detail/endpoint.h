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
#include "distribution/detail/hosts.h"
#include "distribution/detail/transfer.h"
#include "distribution/detail/trust.h"

namespace distribution::detail {

struct Place {
  std::string url;  ///< "https://registry-1.docker.io", no slash at the end
  /// Not the registry itself: gets no credentials, and the next place is asked for what it lacks.
  bool mirror = false;
  bool override_path = false;         ///< the API's root is `url`, not `url`/v2
  bool resolves = true;               ///< its tags are believed
  std::string name_space;             ///< the registry that a mirror for several is asked about; "" for none
  std::vector<std::string> headers;   ///< of each request there
  std::vector<Rewrite> rewrites;      ///< of repositories' paths

  /// "https://registry-1.docker.io/v2"
  [[nodiscard]] std::string api() const { return override_path ? url : url + "/v2"; }
};
/// In the order to try them: the mirrors of `options`, what hosts.toml says, the registry itself. What hosts.toml
/// says of trust goes into `trust`. Errors: those of certs.d and hosts.toml.
base::Result<std::vector<Place>> places_of(const std::string& domain, const Options& options, TrustStore& trust,
                                           Access access);

/// What a request carries: a text, or a stream that is read once.
struct Payload {
  std::string body;
  base::ByteSource* stream = nullptr;
  std::uint64_t size = 0;  ///< of the stream
};

/// Threads: any.
class Endpoint {
 public:
  /// `scopes`: what a token is asked for, "repository:library/x:pull". The first is that of `path`.
  Endpoint(Place place, Transfers& transfers, const TrustStore& trust, Credentials credentials,
           const std::string& path, std::vector<std::string> scopes, LoginKind login = LoginKind::Once);

  [[nodiscard]] const Place& place() const { return place_; }
  [[nodiscard]] bool is_loopback() const;
  /// GET /v2/: is a registry there, and what authorization does it want? One try.
  base::Result<> ping(std::stop_token stop);
  /// `target`: "manifests/latest", "blobs/sha256:…", or the whole URL of an upload that this registry
  /// gave. Any status may come back; 401 for a stream whose token has expired (the next try has another).
  base::Result<Response> send(const std::string& method, const std::string& target,
                              const std::vector<std::string>& headers, std::stop_token stop,
                              const Payload& payload = {});
  /// GET /v2/ as the user. An identity token where the registry gives one, else "".
  /// Errors: Unauthorized with docker's texts.
  base::Result<std::string> log_in(std::stop_token stop);

 private:
  base::Result<Response> follow(Request request, std::stop_token stop);
  /// True if `url` is for the registry itself, which may see the authorization.
  [[nodiscard]] base::Result<bool> is_own(const std::string& url) const;

  const Place place_;
  Transfers& transfers_;
  const TrustStore& trust_;
  const std::string base_;  ///< "https://…/v2/<path>/"
  Authorizer authorizer_;
};

}  // namespace distribution::detail
