#include "sys/inotify.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sys/file.h"
#include "sys/stream_socket.h"

namespace sys {
namespace {

bool readable(const Inotify& inotify, std::chrono::milliseconds within) {
  return wait_ready(inotify.fd(), POLLIN, std::chrono::steady_clock::now() + within).value_or(false);
}

TEST(Inotify, OneMoreThanTheKernelGivesTicks) {
  std::vector<Inotify> taken;
  while (taken.size() < 100'000) {
    taken.push_back(Inotify::create().value());
    if (taken.back().ticks()) break;
  }
  Inotify& last = taken.back();
  if (!last.ticks()) GTEST_SKIP() << "this machine has no limit that a test reaches";
  EXPECT_FALSE(last.watch("/no/such/path", IN_MODIFY));
  ASSERT_TRUE(last.watch("/proc", IN_MODIFY));
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(readable(last, std::chrono::seconds{20}));
    last.drain();
  }
  last.remove(0);
}

}  // namespace
}  // namespace sys
