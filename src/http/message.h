#pragma once
/// The parts of an HTTP/1.1 message that server and client share. Values, safe to copy.
/// Source: RFC 9110 and RFC 9112; URL-encoding as Go's net/url reads it, which Docker's clients rely on.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/socket.h>

#include "base/result.h"
#include "sys/fd.h"

namespace http {

/// Header fields in the order of the message. Names compare without regard to case.
class Headers {
 public:
  using Field = std::pair<std::string, std::string>;

  Headers() = default;
  Headers(std::initializer_list<Field> fields) : fields_{fields} {}

  void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
  /// Replaces all fields of this name.
  void set(std::string_view name, std::string value);
  void remove(std::string_view name);
  /// The first one, or nullptr.
  [[nodiscard]] const std::string* find(std::string_view name) const;
  /// The first one, or "".
  [[nodiscard]] std::string_view get(std::string_view name) const;
  /// Whether the comma list `name` has `token`: has_token("Connection", "upgrade").
  [[nodiscard]] bool has_token(std::string_view name, std::string_view token) const;

  [[nodiscard]] auto begin() const { return fields_.begin(); }
  [[nodiscard]] auto end() const { return fields_.end(); }
  [[nodiscard]] std::size_t size() const { return fields_.size(); }

 private:
  std::vector<Field> fields_;
};

/// The decoded part of a target after "?": a multi-map that keeps the order.
class Query {
 public:
  using Pair = std::pair<std::string, std::string>;

  Query() = default;
  Query(std::initializer_list<Pair> pairs) : pairs_{pairs} {}
  /// "+" is a space. A pair with a bad escape is left out and named by error().
  static Query parse(std::string_view text);

  void add(std::string name, std::string value) { pairs_.emplace_back(std::move(name), std::move(value)); }
  /// The first value, or nullptr. Exact name.
  [[nodiscard]] const std::string* find(std::string_view name) const;
  /// The first value, or "".
  [[nodiscard]] std::string_view get(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const { return find(name) != nullptr; }
  [[nodiscard]] std::vector<std::string> all(std::string_view name) const;
  /// "a=1&b=x+y", without "?"; empty for no pairs.
  [[nodiscard]] std::string encode() const;
  /// `invalid URL escape "%zz"`, or "".
  [[nodiscard]] const std::string& error() const { return error_; }

  [[nodiscard]] auto begin() const { return pairs_.begin(); }
  [[nodiscard]] auto end() const { return pairs_.end(); }
  [[nodiscard]] bool empty() const { return pairs_.empty(); }

 private:
  std::vector<Pair> pairs_;
  std::string error_;
};

/// A request as the server received it.
struct Request {
  std::string method;  ///< as sent: "GET"
  std::string target;  ///< as sent: "/v1.45/images/a%2Fb/json?x=1"
  std::string path;    ///< decoded, without the query: "/v1.45/images/a/b/json"
  Query query;
  Headers headers;
  int minor_version = 1;  ///< of HTTP/1.x: 0 or 1
  /// Who is at the other end of a unix socket: SO_PEERCRED at accept time.
  std::optional<struct ::ucred> peer;
  /// "192.0.2.1:4711"; "@" for a unix socket, as Go has it.
  std::string remote_address;
  /// The common name of the verified client certificate; "" without TLS or without a certificate.
  std::string tls_subject;

  /// Connection: Upgrade with a protocol in Upgrade.
  [[nodiscard]] bool wants_upgrade() const;
};

/// A connection that is no longer HTTP. The socket is blocking and half-closes by itself: a shutdown
/// of one direction leaves the other one open.
struct Upgraded {
  sys::UniqueFd socket;
  /// Bytes of the new protocol that arrived together with the head.
  std::string prefix;
};

/// "%2F" → "/". Errors: InvalidArgument, `invalid URL escape "%zz"`.
base::Result<std::string> percent_decode(std::string_view text);
/// For one segment of a path: everything but RFC 3986's unreserved characters is escaped.
[[nodiscard]] std::string encode_segment(std::string_view text);
/// As above, but "/" stays: for an image name within a path, which Docker's clients send so.
[[nodiscard]] std::string encode_path(std::string_view text);
/// For a query: as encode_segment, with "+" for a space.
[[nodiscard]] std::string encode_query(std::string_view text);

/// "OK", "Not Found"; "" for a status that has no registered phrase.
[[nodiscard]] std::string_view reason_of(int status);

}  // namespace http
