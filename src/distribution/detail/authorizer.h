#pragma once
/// Gives requests to one registry for one repository their Authorization header.
/// Source: distribution.github.io/distribution/spec/auth (token.md, oauth.md); RFC 7617.

#include <chrono>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "distribution/client.h"
#include "distribution/detail/challenge.h"
#include "distribution/detail/transfer.h"

namespace distribution::detail {

class TrustStore;

/// What a token service is asked for beside a token.
enum class LoginKind : std::uint8_t {
  Once,
  Kept,  ///< also an identity token, which stands for the user's password from then on
};

/// Threads: any.
class Authorizer {
 public:
  /// `scopes`: "repository:library/x:pull", …. What it refers to outlives it.
  Authorizer(Transfers& transfers, const TrustStore& trust, Credentials credentials,
             std::vector<std::string> scopes, LoginKind login = LoginKind::Once);

  /// Learns from an answer of the registry at `url`. True if a header can be made for what it asks.
  bool learn(const Response& response, const std::string& url);
  /// "Authorization: …", or "" where nothing is asked for. Fetches a token when there is none that is
  /// fresh. Errors: Unauthorized (refused, or no credentials), and those of Transfers.
  base::Result<std::string> header(std::stop_token stop);
  /// The token was refused: the next `header` fetches another. False if this can't help.
  bool forget_token();
  /// What the token service gave with LoginKind::Kept; "" if it gave none.
  [[nodiscard]] std::string identity_token() const;

 private:
  enum class Scheme : std::uint8_t { None, Basic, Bearer };
  using Clock = std::chrono::steady_clock;

  base::Result<> fetch_token(std::stop_token stop);
  base::Result<Request> token_request() const;
  [[nodiscard]] std::string basic() const;

  Transfers& transfers_;
  const TrustStore& trust_;
  const Credentials credentials_;
  const std::vector<std::string> scopes_;
  const LoginKind login_;

  // One thread fetches, the others need the same token and wait for it.
  mutable std::mutex mutex_;
  Scheme scheme_ = Scheme::None;
  std::string registry_url_;
  std::string realm_, service_;
  std::string token_, identity_token_;
  Clock::time_point expires_;
};

}  // namespace distribution::detail
