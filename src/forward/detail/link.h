#pragma once
/// A connection to a receiver of lines, of whichever kind its address says, made again when it broke.

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/stream_connection.h"
#include "http/tls.h"
#include "logs/remote_options.h"
#include "sys/fd.h"

namespace forward::detail {

class Link {
 public:
  /// Does not connect yet. Errors: those of the certificate files.
  static base::Result<Link> make(const logs::Endpoint& endpoint, const logs::TlsOptions& tls = {});

  [[nodiscard]] bool is_datagram() const { return endpoint_.scheme == "udp" || endpoint_.scheme == "unixgram"; }
  /// Nothing if it is connected and, as far as can be seen, the peer is still there.
  base::Result<> connect();
  void disconnect();
  /// All of it, or an error, after which the connection is gone. One datagram, if it is of those.
  base::Result<> send(std::string_view bytes, std::chrono::nanoseconds timeout);
  /// Streams only; 0 is the end.
  base::Result<std::size_t> receive(std::span<char> buffer, std::chrono::nanoseconds timeout);
  /// Since when it is connected.
  [[nodiscard]] std::chrono::steady_clock::time_point since() const { return since_; }

 private:
  Link(logs::Endpoint endpoint, std::shared_ptr<http::TlsContext> tls)
      : endpoint_{std::move(endpoint)}, tls_{std::move(tls)} {}

  logs::Endpoint endpoint_;
  std::shared_ptr<http::TlsContext> tls_;
  sys::UniqueFd datagrams_;
  std::optional<http::StreamConnection> stream_;
  std::chrono::steady_clock::time_point since_;
};

}  // namespace forward::detail
