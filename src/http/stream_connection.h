#pragma once
/// A client's connection for protocols other than HTTP: a stream socket, plain or in TLS, with deadlines.
/// One thread at a time.

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/tls.h"
#include "sys/fd.h"
#include "sys/stream_socket.h"

namespace http {

class StreamConnection {
 public:
  /// With `tls` the handshake is made here, and the server's certificate has to name `host`. Errors:
  /// Unavailable (a deadline, a peer that is gone), PermissionDenied (a certificate that is not trusted).
  static base::Result<StreamConnection> open(sys::UniqueFd socket, const std::shared_ptr<TlsContext>& tls,
                                             const std::string& host, sys::Deadline deadline);
  StreamConnection(StreamConnection&&) noexcept;
  StreamConnection& operator=(StreamConnection&&) noexcept;
  ~StreamConnection();

  base::Result<> send(std::string_view bytes, sys::Deadline deadline);
  /// 0 is the end.
  base::Result<std::size_t> receive(std::span<char> buffer, sys::Deadline deadline);
  /// Whether the peer has closed its side; what it sent is thrown away. Does not block. For protocols whose
  /// server says nothing.
  [[nodiscard]] bool peer_has_left();

 private:
  struct State;
  explicit StreamConnection(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace http
