#pragma once
/// The bytes of one connection, plain or in TLS, in steps that never block, and waiting on top.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <poll.h>

#include "base/result.h"
#include "http/tls.h"
#include "sys/fd.h"
#include "sys/stream_socket.h"

namespace http::detail {

/// What the socket has to be ready for before a step can be tried again.
enum class Want : std::uint8_t { Nothing, Read, Write };

struct Step {
  std::size_t count = 0;  ///< bytes; 0 with Nothing is the end of the stream
  Want want = Want::Nothing;
};

class Transport {
 public:
  explicit Transport(sys::UniqueFd socket) : socket_{std::move(socket)} {}
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;
  virtual ~Transport() = default;

  [[nodiscard]] int fd() const { return socket_.get(); }
  /// Plain connections only: TLS can't continue without its state.
  [[nodiscard]] sys::UniqueFd release() { return std::move(socket_); }

  virtual base::Result<Step> handshake() { return Step{}; }
  virtual base::Result<Step> receive(std::span<char> buffer);
  virtual base::Result<Step> send(std::string_view bytes, bool more_follows);
  /// Bytes that are decrypted already, so that the socket would not become readable for them.
  [[nodiscard]] virtual bool has_buffered() const { return false; }
  [[nodiscard]] virtual bool is_tls() const { return false; }
  /// The end of our stream; the peer's goes on.
  virtual void close_write() { sys::shut_down(fd(), sys::Direction::Write); }
  /// The common name of the peer's verified certificate.
  [[nodiscard]] virtual std::string peer_subject() const { return {}; }

 private:
  sys::UniqueFd socket_;
};

std::unique_ptr<Transport> make_plain(sys::UniqueFd socket);
/// Errors: Internal (OpenSSL has no memory).
base::Result<std::unique_ptr<Transport>> make_tls_server(sys::UniqueFd socket, const TlsContext& context);
base::Result<std::unique_ptr<Transport>> make_tls_client(sys::UniqueFd socket, const TlsContext& context,
                                                         const std::string& host);

[[nodiscard]] constexpr short poll_events(Want want) { return want == Want::Write ? POLLOUT : POLLIN; }

/// Errors of the waiting forms: those of the step; Unavailable with ETIMEDOUT at the deadline.
base::Result<> handshake_until(Transport& transport, sys::Deadline deadline);
/// 0 is the end.
base::Result<std::size_t> receive_until(Transport& transport, std::span<char> buffer, sys::Deadline deadline);
base::Result<> send_until(Transport& transport, std::string_view bytes, sys::Deadline deadline,
                          bool more_follows = false);

}  // namespace http::detail
