#include "sys/process_usage.h"

#include <ctime>

#include <gtest/gtest.h>

namespace sys {
namespace {

TEST(ProcessUsage, LooksLikeAProcess) {
  const ProcessUsage usage = usage_of_this_process();
  EXPECT_GT(usage.cpu_seconds, 0);
  EXPECT_GT(usage.resident_bytes, 100'000U);
  EXPECT_GE(usage.virtual_bytes, usage.resident_bytes);
  EXPECT_GE(usage.open_files, 3U);
  EXPECT_GE(usage.max_files, usage.open_files);
  const auto now = static_cast<double>(std::time(nullptr));
  EXPECT_LE(usage.start_time, now + 2);
  EXPECT_GT(usage.start_time, now - 3600);
}

}  // namespace
}  // namespace sys
