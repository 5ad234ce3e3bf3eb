#include "sys/inotify.h"

#include <cstdio>
#include <cstdlib>

#include <sched.h>

#include <gtest/gtest.h>

#include "sys/file.h"
#include "sys/stream_socket.h"

namespace sys {
namespace {

bool becomes_readable(const Inotify& inotify) {
  return wait_ready(inotify.fd(), POLLIN, std::chrono::steady_clock::now() + std::chrono::seconds{20}).value_or(false);
}

/// In a user namespace where there is one instance, for it alone.
[[noreturn]] void exhaust() {
  const auto require = [](bool condition, const char* what) {
    if (condition) return;
    std::fputs(what, stderr);
    std::_Exit(1);
  };
  require(::unshare(CLONE_NEWUSER) == 0, "unshare");
  require(write_file(kCwd, "/proc/sys/user/max_inotify_instances", "1").has_value(), "limit");
  const auto first = Inotify::create();
  require(first && !first->ticks(), "the first is an instance");
  auto second = Inotify::create();
  require(second && second->ticks(), "the second ticks");
  require(!second->watch("/no/such/path", IN_MODIFY), "no such path");
  require(second->watch("/proc", IN_MODIFY).has_value(), "a path");
  for (int i = 0; i < 2; ++i) {
    require(becomes_readable(*second), "a tick");
    second->drain();
  }
  second->remove(0);
  std::_Exit(0);
}

TEST(Inotify, OneMoreThanTheKernelGivesTicks) { EXPECT_EXIT(exhaust(), ::testing::ExitedWithCode(0), ""); }

}  // namespace
}  // namespace sys
