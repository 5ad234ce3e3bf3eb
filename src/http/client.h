#pragma once
/// A small HTTP/1.1 client: one peer, connections kept alive, bodies streamed both ways, upgrades.
/// No thread, no global state, no OpenSSL unless the endpoint has TLS: it starts in microseconds.

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/byte_stream.h"
#include "base/result.h"
#include "http/message.h"
#include "http/tls.h"
#include "sys/fd.h"

namespace http {

/// A way to the peer that is no address: the streams of a program. Threads: any.
class Dialer {
 public:
  virtual ~Dialer() = default;
  /// A connected stream socket.
  virtual base::Result<sys::UniqueFd> dial() = 0;
  /// Looks at a connection that broke before an answer came: true when the next dial goes another way,
  /// so that the call is worth another try.
  virtual bool turns_after_failure() = 0;
  /// What broke the last connection, as far as the dialer knows.
  virtual base::Error explain(base::Error error) = 0;
};

/// Where the peer listens.
struct Endpoint {
  std::shared_ptr<Dialer> dialer;  ///< instead of all below
  std::string unix_path;           ///< empty: TCP
  std::string host;       ///< name or address, without brackets; also what the certificate must name
  std::uint16_t port = 0;
  std::shared_ptr<TlsContext> tls;
};

struct ClientOptions {
  std::chrono::milliseconds connect_timeout{30'000};
  /// From the sent request to the response's head; zero waits for ever, as docker's client does.
  std::chrono::milliseconds response_timeout{0};
  Headers headers;  ///< of every request: User-Agent, …
};

struct Call {
  std::string method = "GET";
  std::string target;  ///< encoded: "/v1.45/info?x=1"
  Headers headers;
  std::string body;                    ///< sent with its length, when `stream` is null
  base::ByteSource* stream = nullptr;  ///< sent in chunks while it is read
  /// Asks for Docker's upgrade ("Connection: Upgrade", "Upgrade: tcp").
  bool upgrade = false;
};

/// A response whose body is still on its way. Destroyed before the body's end, it closes its
/// connection; after it, the connection serves the next call.
class Reply : public base::ByteSource {
 public:
  [[nodiscard]] virtual int status() const = 0;
  [[nodiscard]] virtual const Headers& headers() const = 0;
  [[nodiscard]] bool ok() const { return status() >= 200 && status() < 300; }
  /// Takes the connection over after 101, or after 200 to a call with `upgrade`.
  /// Errors: Conflict for any other status.
  virtual base::Result<Upgraded> hijack() = 0;
  /// As read, without waiting: nullopt when nothing is there yet; then wait with poll(2) for `fd`.
  virtual base::Result<std::optional<std::size_t>> read_now(std::span<char> buffer) = 0;
  /// -1 once the body is at its end.
  [[nodiscard]] virtual int fd() const = 0;
};

/// Threads: any; calls of several threads use several connections. Outlives its replies.
class Client {
 public:
  explicit Client(Endpoint endpoint, ClientOptions options = {});
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Returns when the response's head is there; its status is not judged. A kept-alive connection
  /// that the peer closed meanwhile is replaced once, unless part of a `stream` was sent.
  /// Errors: NotFound, PermissionDenied, Unavailable ("dial unix /x: connect: …"), with the errno;
  /// InvalidArgument (malformed response); Unauthorized (TLS: the certificate does not convince).
  base::Result<std::unique_ptr<Reply>> send(const Call& call);
  /// A connection of its own to the peer, on which nothing was said yet.
  /// Errors: as send.
  base::Result<sys::UniqueFd> dial();

  [[nodiscard]] const Endpoint& endpoint() const;

  struct State;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace http
