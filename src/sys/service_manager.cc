#include "sys/service_manager.h"

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include <sys/socket.h>
#include <sys/un.h>

#include <fmt/format.h>

#include "sys/fd.h"

namespace sys {

using base::Error;

ServiceManager ServiceManager::from_environment() {
  ServiceManager manager;
  if (const char* address = ::getenv("NOTIFY_SOCKET")) {  // NOLINT(concurrency-mt-unsafe): before any thread
    manager.address_ = address;
    ::unsetenv("NOTIFY_SOCKET");  // NOLINT(concurrency-mt-unsafe)
  }
  return manager;
}

base::Result<> ServiceManager::tell(std::string_view state) const {
  if (address_.empty()) return {};
  ::sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (address_.size() >= sizeof to.sun_path) return base::invalid("NOTIFY_SOCKET: the name is too long: " + address_);
  std::memcpy(to.sun_path, address_.data(), address_.size());
  if (to.sun_path[0] == '@') to.sun_path[0] = '\0';
  const UniqueFd socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  if (!socket.valid()) return Error::from_errno(errno, "socket");
  const auto size = static_cast<::socklen_t>(offsetof(::sockaddr_un, sun_path) + address_.size());
  if (::sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const ::sockaddr*>(&to), size) < 0) {
    return Error::from_errno(errno, "tell the service manager at " + address_);
  }
  return {};
}

base::Result<> ServiceManager::tell_reloading() const {
  ::timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return tell(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", now.tv_sec * 1'000'000 + now.tv_nsec / 1000));
}

}  // namespace sys
