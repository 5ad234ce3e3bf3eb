#include "forward/detail/link.h"

#include "sys/socket.h"
#include "sys/stream_socket.h"

namespace forward::detail {
namespace {

using base::Result;
using namespace std::chrono_literals;

/// Shorter than a shim waits for its driver.
constexpr auto kConnect = 10s;

sys::Deadline deadline_in(std::chrono::nanoseconds timeout) {
  if (timeout.count() == 0) return sys::kNoDeadline;
  return std::chrono::steady_clock::now() + std::chrono::duration_cast<std::chrono::steady_clock::duration>(timeout);
}

}  // namespace

Result<Link> Link::make(const logs::Endpoint& endpoint, const logs::TlsOptions& tls) {
  std::shared_ptr<http::TlsContext> context;
  if (endpoint.scheme == "tcp+tls") {
    context = TRY(http::TlsContext::client({tls.ca, tls.certificate, tls.key},
                                           tls.skip_verify ? http::VerifyPeer::No : http::VerifyPeer::Yes));
  }
  return Link{endpoint, std::move(context)};
}

void Link::disconnect() {
  datagrams_.reset();
  stream_.reset();
}

Result<> Link::connect() {
  if (datagrams_) return {};
  if (stream_ && !stream_->peer_has_left()) return {};
  disconnect();
  since_ = std::chrono::steady_clock::now();
  if (endpoint_.scheme == "udp") {
    datagrams_ = TRY(sys::connect_udp(endpoint_.host, endpoint_.port));
    return {};
  }
  if (endpoint_.scheme == "unixgram") {
    datagrams_ = TRY(sys::connect_unix(endpoint_.path, SOCK_DGRAM));
    return {};
  }
  const auto deadline = since_ + kConnect;
  sys::UniqueFd socket = endpoint_.scheme == "unix" ? TRY(sys::connect_unix(endpoint_.path, SOCK_STREAM))
                                                    : TRY(sys::connect_tcp(endpoint_.host, endpoint_.port, deadline));
  stream_ = TRY(http::StreamConnection::open(std::move(socket), tls_, endpoint_.host, deadline));
  return {};
}

Result<> Link::send(std::string_view bytes, std::chrono::nanoseconds timeout) {
  Result<> sent = datagrams_ ? sys::send_message(datagrams_.get(), bytes)
                  : stream_  ? stream_->send(bytes, deadline_in(timeout))
                             : Result<>{base::unavailable("not connected")};
  if (!sent) disconnect();
  return sent;
}

Result<std::size_t> Link::receive(std::span<char> buffer, std::chrono::nanoseconds timeout) {
  if (!stream_) return base::unavailable("not connected");
  auto count = stream_->receive(buffer, deadline_in(timeout));
  if (!count || *count == 0) disconnect();
  return count;
}

}  // namespace forward::detail
