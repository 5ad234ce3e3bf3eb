#include "http/listener.h"

#include <cstdlib>

#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/detail/test_support.h"

namespace http {
namespace {

using http::testing::TempDir;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(Listener, UnixSocketsGetModeAndGroup) {
  if (::geteuid() != 0) GTEST_SKIP() << "giving a file to a group needs root";
  TempDir dir;
  const auto listeners = listen_on("unix://" + (dir / "s"), {.mode = 0660, .group = 12345});
  ASSERT_TRUE(listeners) << listeners.error().message();
  EXPECT_EQ(listeners->front().name, "unix://" + (dir / "s"));
  const auto stat = sys::stat_at(sys::kCwd, dir / "s");
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->st_gid, 12345U);
  EXPECT_EQ(stat->st_mode & 0777U, 0660U);
}

TEST(Listener, TcpPortsAreTakenOnce) {
  const auto first = listen_on("tcp://127.0.0.1:0");
  ASSERT_TRUE(first);
  EXPECT_THAT(first->front().name, StartsWith("tcp://127.0.0.1:"));
  const auto second = listen_on(first->front().name);
  ASSERT_FALSE(second);
  EXPECT_TRUE(second.error().is(base::ErrorKind::Conflict));
  EXPECT_THAT(second.error().message(), HasSubstr("Address already in use"));
}

TEST(Listener, RefusesWhatItDoesNotKnow) {
  for (const std::string host :
       {"", "x", "unix://", "tcp://x", "tcp://127.0.0.1:99999", "ssh://x", "fd://x"}) {
    EXPECT_FALSE(listen_on(host)) << host;
  }
}

/// In a child, since systemd's protocol names the process and fixed descriptors.
template <class Check>
int in_child_with_inherited(const std::vector<int>& sockets, Check check) {
  const pid_t child = ::fork();
  if (child == 0) {
    std::vector<int> copies;
    for (const int socket : sockets) copies.push_back(::fcntl(socket, F_DUPFD, 100));
    for (std::size_t i = 0; i < copies.size(); ++i) ::dup2(copies[i], static_cast<int>(3 + i));
    ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
    ::setenv("LISTEN_FDS", std::to_string(sockets.size()).c_str(), 1);
    ::setenv("LISTEN_FDNAMES", "api:debug", 1);
    ::_exit(check());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Listener, TakesInheritedSockets) {
  TempDir dir;
  const auto unix_socket = sys::listen_unix(dir / "a", SOCK_STREAM, 0600);
  const auto tcp_socket = sys::listen_tcp("127.0.0.1", 0);
  ASSERT_TRUE(unix_socket && tcp_socket);
  const std::string path = dir / "a";
  const int result = in_child_with_inherited({unix_socket->get(), tcp_socket->get()}, [&] {
    auto all = listen_on("fd://");
    if (!all || all->size() != 2 || (*all)[0].name != "unix://" + path) return 1;
    if (!(*all)[1].name.starts_with("tcp://127.0.0.1:")) return 2;
    if ((::fcntl((*all)[0].socket.get(), F_GETFD) & FD_CLOEXEC) == 0) return 3;
    for (auto& listener : *all) static_cast<void>(listener.socket.release());
    auto by_name = listen_on("fd://debug");
    if (!by_name || by_name->size() != 1 || by_name->front().socket.get() != 4) return 4;
    static_cast<void>(by_name->front().socket.release());
    auto by_number = listen_on("fd://3");
    if (!by_number || by_number->front().socket.get() != 3) return 5;
    return listen_on("fd://9") ? 6 : 0;
  });
  EXPECT_EQ(result, 0);
}

TEST(Listener, AnInheritedDescriptorMustListen) {
  const auto pipe = sys::make_pipe();
  ASSERT_TRUE(pipe);
  EXPECT_EQ(in_child_with_inherited(
                {pipe->read.get()},
                [] { return listen_on("fd://").failed_as(base::ErrorKind::InvalidArgument) ? 0 : 1; }),
            0);
}

}  // namespace
}  // namespace http
