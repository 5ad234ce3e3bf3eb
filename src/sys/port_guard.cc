#include "sys/port_guard.h"

#include <cerrno>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "sys/crash_point.h"

namespace sys {
namespace {

base::Error bind_error(int error) {
  const base::ErrorKind kind = error == EADDRINUSE      ? base::ErrorKind::Conflict
                               : error == EADDRNOTAVAIL ? base::ErrorKind::Unavailable
                                                        : base::kind_of_errno(error);
  // Go's wording, which users of docker know.
  return {kind, error,
          error == EADDRINUSE      ? "bind: address already in use"
          : error == EADDRNOTAVAIL ? "bind: cannot assign requested address"
          : error == EACCES        ? "bind: permission denied"
                                   : "bind: " + base::errno_text(error)};
}

UniqueFd make_socket(int protocol) {
  const int type = protocol == IPPROTO_UDP ? SOCK_DGRAM : SOCK_STREAM;
  return UniqueFd{::socket(AF_INET, type | SOCK_CLOEXEC, protocol)};
}

int try_bind(const UniqueFd& fd, const sockaddr_in& address) {
  return ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
}

}  // namespace

base::Result<UniqueFd> guard_port(int protocol, std::uint32_t address, std::uint16_t port) {
  if (const int error = fault("bind"); error != 0) return bind_error(error);
  UniqueFd fd = make_socket(protocol);
  if (!fd) {
    const int error = errno;
    if (error == EPROTONOSUPPORT || error == ESOCKTNOSUPPORT) return UniqueFd{};
    return base::Error::from_errno(error, "socket");
  }
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(address);
  name.sin_port = htons(port);
  int error = try_bind(fd, name);
  if (error == EADDRINUSE && protocol == IPPROTO_TCP) {
    // Connections of an earlier server in TIME_WAIT are no conflict. With SO_REUSEADDR bind(2) lets
    // them pass, and listen(2) then tells them from a server that is there; shutdown(2) ends the
    // listening but keeps the port.
    fd = make_socket(protocol);
    const int on = 1;
    if (!fd || ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0) {
      return base::Error::from_errno(errno, "socket");
    }
    error = try_bind(fd, name);
    if (error == 0 && ::listen(fd.get(), 0) < 0) error = errno;
    if (error == 0 && ::shutdown(fd.get(), SHUT_RD) < 0) error = errno;
  }
  if (error != 0) return bind_error(error);
  if (protocol == IPPROTO_UDP) {
    // Nothing reaches it while the translation rules stand; should they be gone, it must not collect.
    const int least = 1;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &least, sizeof least);
  }
  return fd;
}

}  // namespace sys
