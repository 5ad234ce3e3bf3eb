#include "distribution/detail/endpoint.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/strings.h"
#include "distribution/detail/failure.h"

namespace distribution::detail {
namespace {

using base::Result;

constexpr std::string_view kHub = "docker.io";
constexpr std::string_view kHubRegistry = "https://registry-1.docker.io";
constexpr int kMostRedirects = 10;
constexpr std::size_t kErrorBody = std::size_t{64} << 10U;

/// To its end, so that the connection serves the next request.
void drain(Response& response) {
  base::ignore(base::read_all(*response.body, kErrorBody), "nobody wants these bytes");
}

bool is_redirect(long status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

Place place_of(const Host& host, const std::string& registry, const std::string& domain) {
  Place place{.url = host.url,
              .mirror = host.url != registry,
              .override_path = host.override_path,
              .resolves = host.resolve,
              .name_space = {},
              .headers = host.headers,
              .rewrites = host.rewrites};
  if (place.mirror) place.name_space = domain;
  return place;
}

/// The first scope is that of the repository, which has another path there.
std::vector<std::string> scopes_at(std::vector<std::string> scopes, const std::string& path, const std::string& there) {
  const std::string usual = "repository:" + path + ":";
  if (!scopes.empty() && path != there && scopes.front().starts_with(usual)) {
    scopes.front() = "repository:" + there + ":" + scopes.front().substr(usual.size());
  }
  return scopes;
}

}  // namespace

Result<std::vector<Place>> places_of(const std::string& domain, const Options& options, TrustStore& trust,
                                     Access access) {
  std::vector<Place> places;
  if (domain == kHub && access == Access::Pull) {
    for (const auto& mirror : options.mirrors) {
      std::string url = mirror;
      while (url.ends_with('/')) url.pop_back();
      if (url.find("://") == std::string::npos) url.insert(0, "https://");
      places.push_back({.url = std::move(url), .mirror = true});
    }
  }
  const std::string registry = domain == kHub ? std::string{kHubRegistry} : "https://" + domain;
  if (const auto hosts = TRY(read_hosts(options.certs_dir, domain))) {
    for (const auto& host : hosts->mirrors) {
      if (!(access == Access::Push ? host.push : host.pull)) continue;
      places.push_back(place_of(host, registry, domain));
      TRY(trust.add(host));
    }
    if (!hosts->server.url.empty()) {
      places.push_back(place_of(hosts->server, registry, domain));
      places.back().mirror = false;
      places.back().name_space.clear();
      TRY(trust.add(hosts->server));
      return places;
    }
  }
  places.push_back({.url = registry});
  if (domain == kHub) return places;
  // Who put an authority into certs.d wants TLS, also on loopback.
  const Trust known = TRY(trust.for_host(domain));
  if (trust.is_insecure(domain) && known.extra_authorities.empty()) places.push_back({.url = "http://" + domain});
  return places;
}

Endpoint::Endpoint(Place place, Transfers& transfers, const TrustStore& trust, Credentials credentials,
                   const std::string& path, std::vector<std::string> scopes, LoginKind login)
    : place_{std::move(place)},
      transfers_{transfers},
      trust_{trust},
      base_{place_.api() + "/" + rewrite_path(place_.rewrites, path) + "/"},
      // A user's credentials are for the registry, not for whoever mirrors it.
      authorizer_{transfers, trust, place_.mirror ? Credentials{} : std::move(credentials),
                  scopes_at(std::move(scopes), path, rewrite_path(place_.rewrites, path)), login} {}

bool Endpoint::is_loopback() const {
  const auto parts = parse_url(place_.url);
  return parts && (parts->host == "localhost" || parts->host == "[::1]" || parts->host.starts_with("127."));
}

Result<> Endpoint::ping(std::stop_token stop) {
  Request request;
  request.url = place_.api() + "/";
  request.headers = place_.headers;
  Response response = TRY(follow(std::move(request), std::move(stop)));
  if (is_transient(response.status)) {
    const std::string body = base::read_all(*response.body, kErrorBody).value_or("");
    return std::move(status_failure(response, body)).context("Get " + base::quoted(place_.api() + "/"));
  }
  if (response.status == 401) authorizer_.learn(response, place_.api() + "/");
  drain(response);
  return {};
}

Result<Response> Endpoint::send(const std::string& method, const std::string& target,
                                const std::vector<std::string>& headers, std::stop_token stop,
                                const Payload& payload) {
  const bool whole = target.starts_with("http://") || target.starts_with("https://");
  const bool own = !whole || TRY(is_own(target));
  for (bool again = false;; again = true) {
    Request request;
    request.method = method;
    request.url = whole ? target : base_ + target;
    request.headers = headers;
    if (own) request.headers.insert(request.headers.end(), place_.headers.begin(), place_.headers.end());
    if (!whole && !place_.name_space.empty() && (method == "GET" || method == "HEAD")) {
      request.url += (target.find('?') == std::string::npos ? "?ns=" : "&ns=") + escape(place_.name_space);
    }
    request.body = payload.body;
    request.upload = payload.stream;
    request.upload_size = payload.size;
    if (!own) return follow(std::move(request), std::move(stop));
    if (auto authorization = TRY(authorizer_.header(stop)); !authorization.empty()) {
      request.headers.push_back(std::move(authorization));
    }
    const std::string url = request.url;
    Response response = TRY(follow(std::move(request), stop));
    if (response.status != 401 || again) return response;
    // A registry may ask for a token only here, or the token has expired on its side.
    const bool learned = authorizer_.learn(response, url);
    const bool fresh = authorizer_.forget_token();
    if ((!learned && !fresh) || payload.stream != nullptr) return response;
  }
}

Result<std::string> Endpoint::log_in(std::stop_token stop) {
  const std::string url = place_.api() + "/";
  Response response = TRY(send("GET", url, {}, std::move(stop)));
  if (response.status == 200) {
    drain(response);
    return authorizer_.identity_token();
  }
  const std::string body = base::read_all(*response.body, kErrorBody).value_or("");
  const base::Error failure = status_failure(response, body);
  const std::string why = registry_errors(response, body).empty()
                              ? status_line(response.status)
                              : status_line(response.status) + ": " + failure.message();
  return base::Error{failure.kind(), "login attempt to " + url + " failed with status: " + why};
}

Result<bool> Endpoint::is_own(const std::string& url) const {
  const Url own = TRY(parse_url(place_.url));
  const Url other = TRY(parse_url(url));
  if (own.scheme == "https" && other.scheme == "http" && TRY(trust_.for_url(url)).verify) {
    return base::internal("registry " + own.host + " wants the upload to go over plain HTTP to " + other.origin() +
                          ": refused; the registry's external URL is probably not configured");
  }
  return own.origin() == other.origin();
}

Result<Response> Endpoint::follow(Request request, std::stop_token stop) {
  for (int hops = 0;; ++hops) {
    request.trust = TRY(trust_.for_url(request.url));
    Response response = TRY(transfers_.send(request, stop));
    const std::string location{response.header("location")};
    // What a stream has given already can't be sent again.
    if (!is_redirect(response.status) || location.empty() || request.upload != nullptr) return response;
    if (hops == kMostRedirects) {
      return base::internal("Get " + base::quoted(place_.url) + ": stopped after 10 redirects");
    }
    const std::string next = TRY(resolve_url(request.url, location));
    const Url from = TRY(parse_url(request.url));
    const Url to = TRY(parse_url(next));
    if (from.scheme == "https" && to.scheme == "http" && request.trust.verify) {
      return base::internal("Get " + base::quoted(place_.url) + ": refusing a redirect from https to " +
                            to.origin());
    }
    if (from.origin() != to.origin()) {
      // The user's own headers, too: they may be a password.
      std::erase_if(request.headers, [&](const std::string& header) {
        return header.starts_with("Authorization:") ||
               std::ranges::find(place_.headers, header) != place_.headers.end();
      });
    }
    request.url = next;
    drain(response);
  }
}

}  // namespace distribution::detail
