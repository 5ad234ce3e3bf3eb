#include "sys/stream_socket.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <vector>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/un.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/strings.h"
#include "sys/detail/retry.h"

namespace sys {

using base::Error;
using base::Result;
using detail::retry;

namespace {

struct Address {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_storage);

  sockaddr* generic() { return reinterpret_cast<sockaddr*>(&storage); }  // NOLINT: the sockets API
  [[nodiscard]] const sockaddr* generic() const {
    return reinterpret_cast<const sockaddr*>(&storage);  // NOLINT
  }
};

std::string text_of(const Address& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.storage.ss_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &address.storage, sizeof in);
    ::inet_ntop(AF_INET, &in.sin_addr, text.data(), text.size());
    return fmt::format("{}:{}", text.data(), ntohs(in.sin_port));
  }
  if (address.storage.ss_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, &address.storage, sizeof in);
    ::inet_ntop(AF_INET6, &in.sin6_addr, text.data(), text.size());
    return fmt::format("[{}]:{}", text.data(), ntohs(in.sin6_port));
  }
  if (address.storage.ss_family == AF_UNIX && address.size > offsetof(sockaddr_un, sun_path)) {
    sockaddr_un un{};
    std::memcpy(&un, &address.storage, std::min<std::size_t>(sizeof un, address.size));
    const std::string_view path{static_cast<const char*>(un.sun_path),
                                address.size - offsetof(sockaddr_un, sun_path)};
    if (path.front() != '\0') return std::string{path.substr(0, path.find('\0'))};
  }
  return "@";
}

Address make_address(const addrinfo& info) {
  Address address;
  std::memcpy(&address.storage, info.ai_addr, info.ai_addrlen);
  address.size = info.ai_addrlen;
  return address;
}

/// An address as it stands needs no resolver, which a static program could not load plug-ins for.
std::optional<Address> literal(const std::string& host, std::uint16_t port) {
  Address address;
  sockaddr_in in{};
  if (::inet_pton(AF_INET, host.c_str(), &in.sin_addr) == 1) {
    in.sin_family = AF_INET;
    in.sin_port = htons(port);
    std::memcpy(&address.storage, &in, sizeof in);
    address.size = sizeof in;
    return address;
  }
  sockaddr_in6 in6{};
  if (::inet_pton(AF_INET6, host.c_str(), &in6.sin6_addr) == 1) {
    in6.sin6_family = AF_INET6;
    in6.sin6_port = htons(port);
    std::memcpy(&address.storage, &in6, sizeof in6);
    address.size = sizeof in6;
    return address;
  }
  return std::nullopt;
}

Result<std::vector<Address>> resolve(const std::string& host, std::uint16_t port, int flags) {
  if (auto address = literal(host, port)) return std::vector{*address};
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const auto service = fmt::to_string(port);
  const int failure = ::getaddrinfo(host.empty() ? nullptr : host.c_str(), service.c_str(), &hints, &list);
  if (failure != 0) return base::invalid(fmt::format("lookup {}: {}", host, ::gai_strerror(failure)));
  std::vector<Address> out;
  for (const addrinfo* info = list; info != nullptr; info = info->ai_next) out.push_back(make_address(*info));
  ::freeaddrinfo(list);
  return out;
}

Result<UniqueFd> connect_one(const Address& address, Deadline deadline) {
  const auto failed = [&](int error) {
    return Error::from_errno(error, fmt::format("dial tcp {}: connect", text_of(address)));
  };
  UniqueFd socket{::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (!socket) return Error::from_errno(errno, "socket");
  if (retry([&] { return ::connect(socket.get(), address.generic(), address.size); }) < 0) {
    if (errno != EINPROGRESS) return failed(errno);
    if (!TRY(wait_ready(socket.get(), POLLOUT, deadline))) return failed(ETIMEDOUT);
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size) < 0) return failed(errno);
    if (error != 0) return failed(error);
  }
  TRY(set_nonblocking(socket.get(), false));
  tune_tcp(socket.get());
  return socket;
}

Result<int> int_option(int socket, int option) {
  int value = 0;
  socklen_t size = sizeof value;
  if (::getsockopt(socket, SOL_SOCKET, option, &value, &size) < 0)
    return Error::from_errno(errno, "getsockopt");
  return value;
}

int poll_timeout(Deadline deadline) {
  if (deadline == kNoDeadline) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, INT_MAX));
}

}  // namespace

Result<std::vector<std::string>> resolve_host(const std::string& host) {
  std::vector<std::string> texts;
  for (const auto& address : TRY(resolve(host, 0, 0))) {
    std::string text = text_of(address);
    text.resize(text.rfind(':'));
    if (text.starts_with('[')) text = text.substr(1, text.size() - 2);
    texts.push_back(std::move(text));
  }
  return texts;
}

Result<UniqueFd> listen_tcp(const std::string& host, std::uint16_t port, int backlog) {
  const auto addresses = TRY(resolve(host, port, AI_PASSIVE));
  const Address& address = addresses.front();
  const std::string what = "listen tcp " + text_of(address);
  UniqueFd socket{::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (!socket) return Error::from_errno(errno, "socket");
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(socket.get(), address.generic(), address.size) < 0) {
    const int saved = errno;
    auto error = Error::from_errno(saved, what + ": bind");
    if (saved == EADDRINUSE) return std::move(error).as(base::ErrorKind::Conflict);
    return error;
  }
  if (::listen(socket.get(), backlog) < 0) return Error::from_errno(errno, what);
  return socket;
}

Result<UniqueFd> begin_connect(const std::string& address, std::uint16_t port) {
  auto target = literal(address, port);
  if (!target) return base::invalid(fmt::format("no address: {}", base::quoted(address)));
  UniqueFd socket{::socket(target->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (!socket) return Error::from_errno(errno, "socket");
  if (retry([&] { return ::connect(socket.get(), target->generic(), target->size); }) < 0 && errno != EINPROGRESS) {
    return Error::from_errno(errno, "connect");
  }
  return socket;
}

Result<UniqueFd> connect_udp(const std::string& host, std::uint16_t port) {
  auto addresses = TRY(resolve(host, port, AI_ADDRCONFIG));
  if (addresses.empty()) return base::unavailable(fmt::format("lookup {}: no addresses", host));
  Address& target = addresses.front();
  UniqueFd socket{::socket(target.storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  if (!socket) return Error::from_errno(errno, "socket");
  if (retry([&] { return ::connect(socket.get(), target.generic(), target.size); }) < 0) {
    return Error::from_errno(errno, fmt::format("dial udp {}: connect", text_of(target)));
  }
  return socket;
}

Result<> connect_outcome(int socket) {
  const int error = TRY(int_option(socket, SO_ERROR));
  if (error != 0) return Error::from_errno(error, "connect");
  return {};
}

Result<UniqueFd> connect_tcp(const std::string& host, std::uint16_t port, Deadline deadline) {
  auto addresses = resolve(host, port, AI_ADDRCONFIG);
  if (!addresses) {
    return std::move(addresses.error()).context("dial tcp").as(base::ErrorKind::Unavailable);
  }
  Result<UniqueFd> last = base::unavailable("dial tcp: " + host + " has no address");
  for (const auto& address : *addresses) {
    last = connect_one(address, deadline);
    if (last) return last;
  }
  return std::move(last).as(base::ErrorKind::Unavailable);
}

Result<> give_to_group(const std::string& path, gid_t group, mode_t mode) {
  if (::chown(path.c_str(), static_cast<uid_t>(-1), group) < 0)
    return Error::from_errno(errno, "chown " + path);
  if (::chmod(path.c_str(), mode) < 0) return Error::from_errno(errno, "chmod " + path);
  return {};
}

void tune_tcp(int socket) {
  const int on = 1;
  if (::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0) return;  // no TCP
  ::setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  const int seconds = 30;
  ::setsockopt(socket, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof seconds);
  ::setsockopt(socket, IPPROTO_TCP, TCP_KEEPINTVL, &seconds, sizeof seconds);
}

Result<std::string> local_name(int socket) {
  Address address;
  if (::getsockname(socket, address.generic(), &address.size) < 0)
    return Error::from_errno(errno, "getsockname");
  return text_of(address);
}

Result<std::string> peer_name(int socket) {
  Address address;
  if (::getpeername(socket, address.generic(), &address.size) < 0)
    return Error::from_errno(errno, "getpeername");
  return text_of(address);
}

Result<int> socket_family(int socket) {
  auto family = int_option(socket, SO_DOMAIN);
  if (!family && family.error().errno_value() == ENOTSOCK) {
    return base::invalid(fmt::format("descriptor {} is no socket", socket));
  }
  return family;
}

Result<bool> is_listening(int socket) { return TRY(int_option(socket, SO_ACCEPTCONN)) != 0; }

Result<bool> wait_any(std::span<PollItem> items, Deadline deadline) {
  std::array<pollfd, 8> polled{};
  CAISSON_INVARIANT(items.size() <= polled.size());
  for (std::size_t i = 0; i < items.size(); ++i) polled[i] = {items[i].fd, items[i].events, 0};
  while (true) {
    const int count = ::poll(polled.data(), static_cast<nfds_t>(items.size()), poll_timeout(deadline));
    if (count < 0 && errno == EINTR) continue;  // with what is left of the time
    if (count < 0) return Error::from_errno(errno, "poll");
    for (std::size_t i = 0; i < items.size(); ++i) items[i].ready = polled[i].revents;
    return count > 0;
  }
}

Result<bool> wait_ready(int fd, short events, Deadline deadline) {
  PollItem item{fd, events};
  return wait_any({&item, 1}, deadline);
}

}  // namespace sys
