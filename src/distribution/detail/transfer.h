#pragma once
/// HTTP requests whose answer is read when the caller wants it: libcurl behind base::ByteSource.
/// Redirects are not followed here and no status is an error: that is the caller's business.
///
/// Errors are in the words of docker's (Go's) network library, on which people search:
/// `Get "https://x/v2/": dial tcp: lookup x: no such host`. Unavailable: the peer can't be reached, broke
/// off, or `stop` was requested. Internal: its certificate is not trusted.

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/byte_stream.h"
#include "base/result.h"

namespace distribution::detail {

/// How a host is to be trusted.
struct Trust {
  bool verify = true;
  std::string extra_authorities;               ///< PEM, besides the system's
  std::string client_certificate, client_key;  ///< paths of PEM files, or empty
};

struct Request {
  std::string method = "GET";  ///< GET, HEAD, POST, PUT, PATCH
  std::string url;
  std::vector<std::string> headers;  ///< "Name: value"
  std::string body;                  ///< of a POST or PUT
  /// Sent instead of `body`, read while it goes; outlives the Response. Its errors are the request's.
  base::ByteSource* upload = nullptr;
  std::uint64_t upload_size = 0;
  Trust trust;
};

struct Timeouts {
  std::chrono::milliseconds connect{5000};
  std::chrono::seconds stall{30};
};

struct Response {
  long status = 0;
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case
  std::unique_ptr<base::ByteSource> body;  ///< reads while it comes; dropped early it ends the transfer

  /// The first of this name (lower case); "" if there is none.
  [[nodiscard]] std::string_view header(std::string_view name) const;
  [[nodiscard]] std::vector<std::string_view> all(std::string_view name) const;
  [[nodiscard]] std::optional<std::uint64_t> content_length() const;
};

/// Keeps connections for as long as it lives. Threads: any; a body belongs to one thread.
class Transfers {
 public:
  Transfers(std::string user_agent, Timeouts timeouts);
  ~Transfers();
  Transfers(const Transfers&) = delete;
  Transfers& operator=(const Transfers&) = delete;

  /// Returns when the head of the answer is there. `stop` also ends the body. The body may outlive
  /// this object's user but not the object.
  base::Result<Response> send(const Request& request, std::stop_token stop);

 private:
  friend class Body;
  class Slot;
  std::unique_ptr<Slot> take(const std::string& origin);
  void give_back(std::unique_ptr<Slot> slot);

  const std::string user_agent_;
  const Timeouts timeouts_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Slot>> idle_;  // guarded by mutex_
};

struct Url {
  std::string scheme, host, port;  ///< the port always, 443 or 80 by default; an IPv6 host in brackets
  /// "https://host:port": who gets an Authorization header.
  [[nodiscard]] std::string origin() const { return scheme + "://" + host + ":" + port; }
};
/// Errors: InvalidArgument for anything but http and https.
base::Result<Url> parse_url(const std::string& url);
/// RFC 3986, 5.2: `reference` seen from `base_url`.
base::Result<std::string> resolve_url(const std::string& base_url, const std::string& reference);
/// Percent-encoded, for a query or a form.
std::string escape(std::string_view text);

}  // namespace distribution::detail
