// Apart from stream_socket.cc, whose name resolution static programs shall not link.
#include <array>
#include <cerrno>

#include "sys/detail/retry.h"
#include "sys/stream_socket.h"

namespace sys {

using base::Error;
using base::Result;
using detail::retry;

namespace {

Result<std::optional<std::size_t>> outcome(ssize_t count, std::string_view what) {
  if (count >= 0) return std::optional{static_cast<std::size_t>(count)};
  if (errno == EAGAIN || errno == EWOULDBLOCK) return std::optional<std::size_t>{};
  return Error::from_errno(errno, what);
}

}  // namespace

Result<std::optional<std::size_t>> receive_now(int socket, std::span<char> buffer) {
  return outcome(retry([&] { return ::recv(socket, buffer.data(), buffer.size(), MSG_DONTWAIT); }), "recv");
}

Result<std::optional<std::size_t>> send_now(int socket, std::string_view bytes, bool more_follows) {
  const int flags = MSG_DONTWAIT | MSG_NOSIGNAL | (more_follows ? MSG_MORE : 0);
  return outcome(retry([&] { return ::send(socket, bytes.data(), bytes.size(), flags); }), "send");
}

Result<std::optional<std::size_t>> send_parts_now(int socket, std::span<const std::string_view> parts) {
  std::array<iovec, 4> vectors{};
  CAISSON_INVARIANT(parts.size() <= vectors.size());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    vectors[i] = {const_cast<char*>(parts[i].data()), parts[i].size()};
  }
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = parts.size();
  return outcome(retry([&] { return ::sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL); }), "send");
}

void shut_down(int socket, Direction direction) { ::shutdown(socket, static_cast<int>(direction)); }

}  // namespace sys
