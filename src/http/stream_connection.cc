#include "http/stream_connection.h"

#include <array>

#include "http/detail/transport.h"

namespace http {

using base::Result;

struct StreamConnection::State {
  std::shared_ptr<TlsContext> tls;
  std::unique_ptr<detail::Transport> transport;
};

StreamConnection::StreamConnection(std::unique_ptr<State> state) : state_{std::move(state)} {}
StreamConnection::StreamConnection(StreamConnection&&) noexcept = default;
StreamConnection& StreamConnection::operator=(StreamConnection&&) noexcept = default;
StreamConnection::~StreamConnection() = default;

Result<StreamConnection> StreamConnection::open(sys::UniqueFd socket, const std::shared_ptr<TlsContext>& tls,
                                                const std::string& host, sys::Deadline deadline) {
  auto state = std::make_unique<State>();
  state->tls = tls;
  state->transport = tls ? TRY(detail::make_tls_client(std::move(socket), *tls, host)) : detail::make_plain(std::move(socket));
  if (tls) TRY(detail::handshake_until(*state->transport, deadline));
  return StreamConnection{std::move(state)};
}

Result<> StreamConnection::send(std::string_view bytes, sys::Deadline deadline) {
  return detail::send_until(*state_->transport, bytes, deadline);
}

Result<std::size_t> StreamConnection::receive(std::span<char> buffer, sys::Deadline deadline) {
  return detail::receive_until(*state_->transport, buffer, deadline);
}

bool StreamConnection::peer_has_left() {
  std::array<char, 4096> buffer;  // NOLINT: written before it is read
  while (true) {
    const auto step = state_->transport->receive(buffer);
    if (!step) return true;
    if (step->want != detail::Want::Nothing) return false;
    if (step->count == 0) return true;
  }
}

}  // namespace http
