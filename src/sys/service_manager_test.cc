#include "sys/service_manager.h"

#include <cstdlib>
#include <string>

#include <sys/socket.h>
#include <sys/un.h>

#include <gtest/gtest.h>

#include "base/strings.h"
#include "sys/fd.h"

namespace sys {
namespace {

/// Listens at an abstract name, as a manager.
UniqueFd manager_at(const std::string& name) {
  ::sockaddr_un at{};
  at.sun_family = AF_UNIX;
  std::copy(name.begin(), name.end(), at.sun_path + 1);
  UniqueFd socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  const auto size = static_cast<::socklen_t>(offsetof(::sockaddr_un, sun_path) + 1 + name.size());
  EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const ::sockaddr*>(&at), size), 0);
  return socket;
}

std::string next_message(const UniqueFd& socket) {
  char buffer[256];
  const auto count = ::recv(socket.get(), buffer, sizeof buffer, 0);
  return count < 0 ? "" : std::string(buffer, static_cast<std::size_t>(count));
}

TEST(ServiceManager, IsToldAndLeavesTheEnvironment) {
  const std::string name = "caisson-notify-test-" + std::to_string(::getpid());
  const auto socket = manager_at(name);
  ::setenv("NOTIFY_SOCKET", ("@" + name).c_str(), 1);
  const auto manager = ServiceManager::from_environment();
  EXPECT_EQ(::getenv("NOTIFY_SOCKET"), nullptr);
  EXPECT_TRUE(manager.tell("READY=1"));
  EXPECT_EQ(next_message(socket), "READY=1");
  EXPECT_TRUE(manager.tell_reloading());
  EXPECT_TRUE(next_message(socket).starts_with("RELOADING=1\nMONOTONIC_USEC="));
}

TEST(ServiceManager, NobodyListens) {
  ::unsetenv("NOTIFY_SOCKET");
  EXPECT_TRUE(ServiceManager::from_environment().tell("READY=1"));
  ::setenv("NOTIFY_SOCKET", "/no/such/socket", 1);
  EXPECT_FALSE(ServiceManager::from_environment().tell("READY=1"));
  ::setenv("NOTIFY_SOCKET", std::string(200, 'x').c_str(), 1);
  EXPECT_FALSE(ServiceManager::from_environment().tell("READY=1"));
}

}  // namespace
}  // namespace sys
