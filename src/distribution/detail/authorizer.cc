#include "distribution/detail/authorizer.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "codec/json.h"
#include "distribution/detail/failure.h"
#include "distribution/detail/trust.h"

namespace distribution::detail {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;

constexpr std::size_t kTokenLimit = std::size_t{1} << 20U;
/// Of a token whose answer says nothing, and the least that is believed (token.md).
constexpr std::chrono::seconds kShortestLife{60};
/// A token is not used in its last seconds: the request has to arrive, too.
constexpr std::chrono::seconds kMargin{10};
constexpr std::string_view kClientId = "caisson";

/// A token comes from outside and goes into a header: one line, nothing that could end it.
bool is_header_safe(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

std::string query(std::string_view name, std::string_view value) {
  return std::string{name}.append("=").append(escape(value));
}

}  // namespace

Authorizer::Authorizer(Transfers& transfers, const TrustStore& trust, Credentials credentials,
                       std::vector<std::string> scopes, LoginKind login)
    : transfers_{transfers},
      trust_{trust},
      credentials_{std::move(credentials)},
      scopes_{std::move(scopes)},
      login_{login} {}

bool Authorizer::learn(const Response& response, const std::string& url) {
  const std::scoped_lock lock{mutex_};
  registry_url_ = url;
  bool basic_offered = false;
  for (const auto header : response.all("www-authenticate")) {
    for (const auto& challenge : parse_challenges(header)) {
      if (challenge.scheme == "bearer" && !challenge["realm"].empty()) {
        scheme_ = Scheme::Bearer;
        realm_ = challenge["realm"];
        service_ = challenge["service"];
        return true;
      }
      basic_offered = basic_offered || challenge.scheme == "basic";
    }
  }
  if (basic_offered) scheme_ = Scheme::Basic;
  return basic_offered;
}

bool Authorizer::forget_token() {
  const std::scoped_lock lock{mutex_};
  token_.clear();
  return scheme_ == Scheme::Bearer && credentials_.registry_token.empty();
}

std::string Authorizer::identity_token() const {
  const std::scoped_lock lock{mutex_};
  return identity_token_;
}

Result<std::string> Authorizer::header(std::stop_token stop) {
  const std::scoped_lock lock{mutex_};
  switch (scheme_) {
    case Scheme::None: return std::string{};
    case Scheme::Basic: {
      if (credentials_.username.empty()) {
        return Error{ErrorKind::Unauthorized,
                     "Get " + base::quoted(registry_url_) + ": no basic auth credentials"};
      }
      return basic();
    }
    case Scheme::Bearer: break;
  }
  if (!credentials_.registry_token.empty()) {
    if (!is_header_safe(credentials_.registry_token)) return base::invalid("malformed registry token");
    return "Authorization: Bearer " + credentials_.registry_token;
  }
  if (token_.empty() || Clock::now() >= expires_) TRY(fetch_token(std::move(stop)));
  return "Authorization: Bearer " + token_;
}

std::string Authorizer::basic() const {
  return "Authorization: Basic " + base::base64(credentials_.username + ":" + credentials_.password);
}

Result<Request> Authorizer::token_request() const {
  const Url realm = TRY(parse_url(realm_).context("token service"));
  const Url registry = TRY(parse_url(registry_url_));
  const bool secret = !credentials_.username.empty() || !credentials_.identity_token.empty();
  if (secret && realm.scheme == "http" && registry.scheme == "https") {
    return Error{ErrorKind::Unauthorized, "the registry " + registry.host +
                                              " sends its users to a token service without TLS (" +
                                              realm.host + "): refusing to send credentials there"};
  }
  Request request;
  request.trust = TRY(trust_.for_url(realm_));
  if (!credentials_.identity_token.empty()) {
    request.method = "POST";
    request.url = realm_;
    request.headers = {"Content-Type: application/x-www-form-urlencoded"};
    request.body = query("grant_type", "refresh_token") + "&" + query("service", service_) + "&" +
                   query("client_id", kClientId) + "&" + query("scope", base::join(scopes_, " ")) + "&" +
                   query("refresh_token", credentials_.identity_token);
    return request;
  }
  request.url = realm_ + (realm_.find('?') == std::string::npos ? "?" : "&") + query("service", service_);
  for (const auto& scope : scopes_) request.url += "&" + query("scope", scope);
  if (!credentials_.username.empty()) {
    request.url += "&" + query("account", credentials_.username);
    if (login_ == LoginKind::Kept) request.url += "&offline_token=true&" + query("client_id", kClientId);
    request.headers = {basic()};
  }
  return request;
}

Result<> Authorizer::fetch_token(std::stop_token stop) {
  const Request request = TRY(token_request());
  Response response = TRY(transfers_.send(request, std::move(stop)));
  const std::string body = TRY(base::read_all(*response.body, kTokenLimit).context("token service"));
  if (response.status == 401 || response.status == 403 || response.status == 400) {
    return Error{ErrorKind::Unauthorized,
                 "Get " + base::quoted(registry_url_) + ": " +
                     describe_failure(response, body, "unauthorized: incorrect username or password")};
  }
  if (response.status != 200) return status_failure(response, body);
  const auto json = codec::Json::parse(body);
  if (!json)
    return base::internal("token service " + realm_ + ": malformed answer: " + json.error().message());
  const std::string& token = (*json)["token"].as_string().empty() ? (*json)["access_token"].as_string()
                                                                  : (*json)["token"].as_string();
  if (token.empty())
    return base::internal("token service " + realm_ +
                          ": authorization server did not include a token in the response");
  if (!is_header_safe(token)) return base::internal("token service " + realm_ + ": malformed token");
  token_ = token;
  identity_token_ = (*json)["refresh_token"].as_string();
  const std::chrono::seconds life{
      std::clamp<std::int64_t>((*json)["expires_in"].as_int(), kShortestLife.count(), 86400)};
  expires_ = Clock::now() + life - kMargin;
  return {};
}

}  // namespace distribution::detail
