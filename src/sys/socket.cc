#include "sys/socket.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <sys/un.h>
#include <unistd.h>

#include <fmt/format.h>

#include "sys/detail/retry.h"
#include "sys/file.h"

namespace sys {

using base::Error;
using base::Result;
using detail::retry;

namespace {

constexpr std::size_t kMaxFds = 16;

/// A socket address that names `path` whatever its length: sun_path holds 107 bytes, so a longer one
/// goes through its directory's descriptor, which `dir` keeps open.
Result<sockaddr_un> address_of(const std::string& path, UniqueFd& dir) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::string name = path;
  if (name.size() >= sizeof address.sun_path) {
    const auto slash = path.rfind('/');
    if (slash == std::string::npos) return base::invalid("socket name too long: " + path);
    dir = TRY(open_at(kCwd, path.substr(0, slash), O_PATH | O_DIRECTORY));
    name = fmt::format("{}/{}", proc_path(dir.get()), path.substr(slash + 1));
    if (name.size() >= sizeof address.sun_path) return base::invalid("socket name too long: " + path);
  }
  std::memcpy(static_cast<void*>(address.sun_path), name.data(), name.size());
  return address;
}

const sockaddr* generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);  // NOLINT: the sockets API
}

}  // namespace

Result<SocketPair> make_socket_pair(int type) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends.data()) < 0) {
    return Error::from_errno(errno, "socketpair");
  }
  return SocketPair{UniqueFd{ends[0]}, UniqueFd{ends[1]}};
}

Result<UniqueFd> listen_unix(const std::string& path, int type, mode_t mode, int backlog) {
  UniqueFd dir;
  const sockaddr_un address = TRY(address_of(path, dir));
  if (auto present = stat_at(kCwd, path)) {
    if (!S_ISSOCK(present->st_mode)) {
      return base::conflict("can't listen on " + path + ": a file that is no socket is there");
    }
    TRY(unlink_at(kCwd, path));
  }
  UniqueFd socket{::socket(AF_UNIX, type | SOCK_CLOEXEC, 0)};
  if (!socket) return Error::from_errno(errno, "socket");
  if (::bind(socket.get(), generic(address), sizeof address) < 0) {
    return Error::from_errno(errno, "listen on " + path);
  }
  if (::listen(socket.get(), backlog) < 0) return Error::from_errno(errno, "listen on " + path);
  // Last, so that whoever watches the directory is told when the socket is ready to connect to.
  if (::chmod(path.c_str(), mode) < 0) return Error::from_errno(errno, "chmod " + path);
  return socket;
}

Result<UniqueFd> connect_unix(const std::string& path, int type) {
  UniqueFd dir;
  const sockaddr_un address = TRY(address_of(path, dir));
  UniqueFd socket{::socket(AF_UNIX, type | SOCK_CLOEXEC, 0)};
  if (!socket) return Error::from_errno(errno, "socket");
  if (retry([&] { return ::connect(socket.get(), generic(address), sizeof address); }) < 0) {
    return Error::from_errno(errno, "dial unix " + path + ": connect");
  }
  return socket;
}

Result<UniqueFd> accept_on(int listener, int flags) {
  const int fd = retry([&] { return ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | flags); });
  if (fd < 0) {
    const int saved = errno;
    auto error = Error::from_errno(saved, "accept");
    if (saved == EAGAIN) return std::move(error).as(base::ErrorKind::Unavailable);
    return error;
  }
  return UniqueFd{fd};
}

Result<struct ::ucred> peer_credentials(int socket) {
  struct ::ucred credentials {};
  socklen_t size = sizeof credentials;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0) {
    return Error::from_errno(errno, "read the peer's credentials");
  }
  return credentials;
}

Result<> send_message(int socket, std::string_view bytes, const std::vector<int>& fds) {
  CAISSON_INVARIANT(fds.size() <= kMaxFds);
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kMaxFds * sizeof(int))> control{};
  iovec vector{const_cast<char*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  if (!fds.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
    std::memcpy(CMSG_DATA(header), fds.data(), fds.size() * sizeof(int));
  }
  const auto sent = retry([&] { return ::sendmsg(socket, &message, MSG_NOSIGNAL); });
  if (sent < 0) {
    const int saved = errno;
    auto error = Error::from_errno(saved, "send a message");
    if (saved == EAGAIN) return std::move(error).as(base::ErrorKind::Unavailable);
    return error;
  }
  // A stream socket may take less; the descriptors went with the first byte.
  return write_all(socket, bytes.substr(static_cast<std::size_t>(sent)));
}

Result<std::optional<Message>> receive_message(int socket, std::size_t limit) {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kMaxFds * sizeof(int))> control{};
  // One packet is read whole, so its length is asked for first.
  const auto length = retry([&] { return ::recv(socket, nullptr, 0, MSG_PEEK | MSG_TRUNC); });
  if (length < 0) {
    const int saved = errno;
    auto error = Error::from_errno(saved, "receive a message");
    if (saved == EAGAIN) return std::move(error).as(base::ErrorKind::Unavailable);
    return error;
  }
  if (static_cast<std::size_t>(length) > limit) {
    return base::invalid(fmt::format("a message of {} bytes is over the limit of {}", length, limit));
  }
  Message out;
  out.bytes.resize(std::max<std::size_t>(1, static_cast<std::size_t>(length)));
  iovec vector{out.bytes.data(), out.bytes.size()};
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const auto count = retry([&] { return ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC); });
  if (count < 0) return Error::from_errno(errno, "receive a message");
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t number = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < number; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof fd);
      out.fds.emplace_back(fd);
    }
  }
  if ((message.msg_flags & MSG_CTRUNC) != 0) return base::invalid("a message carried too many descriptors");
  if (count == 0) return std::optional<Message>{};
  out.bytes.resize(static_cast<std::size_t>(count));
  return std::optional{std::move(out)};
}

}  // namespace sys
