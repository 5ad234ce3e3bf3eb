#include "engine/host_facts.h"

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace engine {
namespace {

TEST(HostFacts, AreThisMachines) {
  const HostFacts facts = HostFacts::detect();
  EXPECT_GE(facts.kernel_major, 5U);
  EXPECT_FALSE(facts.hostname.empty());
  EXPECT_EQ(facts.cpus, static_cast<unsigned>(::sysconf(_SC_NPROCESSORS_ONLN)));
  EXPECT_GT(facts.memory_bytes, std::uint64_t{64} << 20U);
  EXPECT_GT(facts.hard_limits.at("RLIMIT_NOFILE"), 0U);
  if (::geteuid() != 0) GTEST_SKIP() << "the rest needs root";
  EXPECT_THAT(facts.capabilities, testing::Contains("CAP_SETUID"));
}

}  // namespace
}  // namespace engine
