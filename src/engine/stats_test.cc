// What a container uses: the numbers' sources by text, and one that is known to use something.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/containers/sample.h"
#include "engine/detail/test_engine.h"

namespace engine {
namespace {

using namespace test;  // NOLINT: the vocabulary of these tests

TEST(Stats, Interfaces) {
  const auto found = parse_interfaces(
      "Inter-|   Receive                                                |  Transmit\n"
      " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n"
      "    lo:     100       1    0    0    0     0          0         0      100       1    0    0    0     0       0          0\n"
      "  eth0: 5338      36    1    2    0     0          0         0      648       8    3    4    0     0       0          0\n"
      "eth1:18446744073709551615 2 0 0 0 0 0 0 7 1 0 0 0 0 0 0\n");
  ASSERT_EQ(found.size(), 2U);
  const auto& first = found.at("eth0");
  EXPECT_EQ(first.rx_bytes, 5338U);
  EXPECT_EQ(first.rx_errors, 1U);
  EXPECT_EQ(first.rx_dropped, 2U);
  EXPECT_EQ(first.tx_packets, 8U);
  EXPECT_EQ(first.tx_dropped, 4U);
  EXPECT_EQ(found.at("eth1").rx_bytes, UINT64_MAX);
  EXPECT_EQ(found.at("eth1").tx_bytes, 7U);
}

TEST(Stats, SystemCpu) {
  const auto system = parse_system_cpu("cpu  1 2 3 4 5 6 7 8 100 100\ncpu0 1 0 0 0 0 0 0 0 0 0\ncpu1 0 2 3 4 5 6 7 8 0 0\nintr 5\n", 100);
  EXPECT_EQ(system.usage, 36U * 10'000'000U) << "guests' time is in the others";
  EXPECT_EQ(system.cpus, 2U);
}

TEST(Stats, BothVersionsOfCgroups) {
  cgroup::Stats used;
  used.memory = {.usage = 10, .max_usage = 20, .limit = UINT64_MAX, .fail_count = 3, .details = {{"cache", 4}}};
  used.pids = {.current = 2, .limit = 0};
  used.io.bytes = {{8, 0, "Read", 512}};
  spec::api::ContainerStats v1;
  fill(v1, used, 1000);
  EXPECT_EQ(v1.memory_stats.limit, 1000U);
  EXPECT_EQ(v1.memory_stats.max_usage, 20U);
  EXPECT_EQ(v1.memory_stats.fail_count, 3U);
  EXPECT_EQ(v1.pids_stats.limit, 0U);
  EXPECT_TRUE(v1.blkio_stats.serviced.has_value());
  EXPECT_EQ(v1.blkio_stats.service_bytes->front().value, 512U);
  used.v2 = true;
  spec::api::ContainerStats v2;
  fill(v2, used, 1000);
  EXPECT_EQ(v2.memory_stats.max_usage, 0U);
  EXPECT_EQ(v2.pids_stats.limit, UINT64_MAX);
  EXPECT_FALSE(v2.blkio_stats.serviced.has_value());
}

TEST(Stats, OfAContainerThatIsBusy) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    auto options = running({"sh", "-c", "echo ready; while :; do :; done"}, "busy");
    options.request.host_config.resources.memory = 64 << 20;
    options.request.host_config.network_mode = "bridge";
    create(engine, options);
    spec::api::ContainerStats stats;
    ASSERT_TRUE(engine.containers().stats("busy").value()->next(stats, {}).value());
    EXPECT_EQ(stats.read, spec::api::ContainerStats::kNever) << "it does not run yet";
    EXPECT_EQ(stats.name, "/busy");
    ASSERT_TRUE(engine.containers().start("busy", ""));
    wait_for_output(engine, "busy", "ready\n");
    const auto stream = engine.containers().stats("busy").value();
    ASSERT_TRUE(stream->next(stats, {}).value());
    EXPECT_EQ(stats.preread, spec::api::ContainerStats::kNever);
    EXPECT_EQ(stats.precpu_stats.cpu_usage.total_usage, 0U);
    ASSERT_TRUE(stream->next(stats, {}).value());
    EXPECT_GT(stats.cpu_stats.cpu_usage.total_usage, stats.precpu_stats.cpu_usage.total_usage);
    EXPECT_GT(stats.cpu_stats.system_cpu_usage, stats.precpu_stats.system_cpu_usage);
    EXPECT_GE(stats.cpu_stats.online_cpus, 1U);
    EXPECT_GT(stats.memory_stats.usage, 0U);
    EXPECT_EQ(stats.memory_stats.limit, 64U << 20U);
    EXPECT_EQ(stats.pids_stats.current, 1U);
    ASSERT_TRUE(stats.networks.has_value());
    EXPECT_TRUE(stats.networks->contains("eth0"));
    std::stop_source stop;
    stop.request_stop();
    EXPECT_FALSE(stream->next(stats, stop.get_token()).value());
    ASSERT_TRUE(engine.containers().remove("busy", {.force = true}));
    EXPECT_FALSE(stream->next(stats, {}).value());
  });
}

}  // namespace
}  // namespace engine
