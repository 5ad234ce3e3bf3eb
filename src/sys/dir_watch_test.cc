#include "sys/dir_watch.h"

#include <array>
#include <cstdlib>

#include <gtest/gtest.h>

#include "sys/file.h"
#include "sys/socket.h"
#include "sys/stream_socket.h"

namespace sys {
namespace {

using namespace std::chrono_literals;

std::string temporary_directory() {
  std::string name = "/tmp/dir-watch-XXXXXX";
  EXPECT_NE(::mkdtemp(name.data()), nullptr);
  return name;
}

bool readable(int fd, std::chrono::milliseconds within) {
  const auto ready = wait_ready(fd, POLLIN, std::chrono::steady_clock::now() + within);
  return ready && *ready;
}

// Whoever waits for a daemon connects when this tells of the socket: by then it must be listened on.
TEST(DirWatch, TheLastNoticeOfASocketComesWhenItIsListenedOn) {
  const std::string directory = temporary_directory();
  auto watch = DirWatch::open(directory);
  ASSERT_TRUE(watch);
  EXPECT_FALSE(readable(watch->fd(), 0ms));
  const auto listener = listen_unix(directory + "/s", SOCK_STREAM, 0600);
  ASSERT_TRUE(listener);
  EXPECT_TRUE(readable(watch->fd(), 1000ms));
  watch->clear();
  EXPECT_FALSE(readable(watch->fd(), 0ms));
  EXPECT_TRUE(connect_unix(directory + "/s", SOCK_STREAM));
  EXPECT_TRUE(remove_tree(kCwd, directory));
}

TEST(DirWatch, NeedsADirectory) {
  EXPECT_TRUE(DirWatch::open("/nonexistent/x").failed_as(base::ErrorKind::NotFound));
}

}  // namespace
}  // namespace sys
