#pragma once
/// One request and its response, as a handler on the server sees them.
///
/// A handler calls exactly one of `respond` (a whole answer), `begin` … `finish` (a stream),
/// `hijack` (another protocol from here on). A handler that returns without any of them answers 500;
/// one that returns after `begin` without `finish` breaks the connection, so that the client can tell
/// a cut stream from a whole one.
///
/// Threads: an exchange is used by one thread at a time. `stop_token` and `client_gone` may be asked
/// from any.

#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/byte_stream.h"
#include "base/result.h"
#include "http/message.h"

namespace http {

/// Whether another write follows at once; then the bytes may be held back (at most 16 KiB) until it
/// comes, or `flush`, or `finish`.
enum class More : bool { No, Yes };

class Exchange {
 public:
  Exchange() = default;
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  virtual ~Exchange() = default;

  [[nodiscard]] virtual const Request& request() const = 0;

  /// The request's body, whether it came with a length or in chunks; empty if there is none. The
  /// first read sends "100 Continue" to a client that waits for it. Errors: Unavailable (the client
  /// went away or stopped sending), InvalidArgument (malformed chunks).
  [[nodiscard]] virtual base::ByteSource& body() = 0;
  /// The length the request declared; nullopt for chunks.
  [[nodiscard]] virtual std::optional<std::uint64_t> body_length() const = 0;

  /// The whole response. Content-Length, Date and Connection are added; a body for HEAD, 204 or 304
  /// is not sent. Errors: Unavailable (the client is gone).
  virtual base::Result<> respond(int status, const Headers& headers, std::string_view body) = 0;

  /// Starts a stream: sends the head at once, so that the client knows that its request is accepted.
  virtual base::Result<> begin(int status, const Headers& headers) = 0;
  /// Blocks while the client does not read. Errors: Unavailable (the client is gone).
  virtual base::Result<> write(std::string_view bytes, More more = More::No) = 0;
  virtual base::Result<> flush() = 0;
  virtual base::Result<> finish() = 0;
  /// Whether a head was sent; from then on an error can't become a status.
  [[nodiscard]] virtual bool begun() const = 0;
  /// `write`, for code that knows only byte streams. Valid as long as the exchange.
  [[nodiscard]] base::ByteSink& sink() { return sink_; }

  /// Writes a head with this status, and gives the connection away. For TLS it is one end of a
  /// socket pair whose other end the server copies from and to the client. An unread body is skipped.
  virtual base::Result<Upgraded> hijack(int status, std::string_view reason, const Headers& headers) = 0;
  /// Docker's answer to attach and exec: "101 UPGRADED" to tcp when the client asked for an upgrade,
  /// else "200 OK". `content_type`: application/vnd.docker.raw-stream or …multiplexed-stream.
  base::Result<Upgraded> hijack_stream(std::string_view content_type);

  /// True once the client closed its connection or its writing side (as Go's server sees it). Not
  /// seen before the request's body is read to its end.
  [[nodiscard]] virtual bool client_gone() = 0;
  /// Fires when the client goes, or when the server stops. Callbacks run on the server's
  /// reactor: they only wake somebody up.
  [[nodiscard]] virtual std::stop_token stop_token() = 0;

 private:
  class Sink final : public base::ByteSink {
   public:
    explicit Sink(Exchange& exchange) : exchange_{exchange} {}
    base::Result<> write(std::string_view bytes) override { return exchange_.write(bytes); }

   private:
    Exchange& exchange_;
  };
  Sink sink_{*this};
};

class Handler {
 public:
  virtual ~Handler() = default;
  /// Runs on a thread of the server's pool; several at a time. An exception answers 500 and is logged.
  virtual void handle(Exchange& exchange) = 0;
};

}  // namespace http
