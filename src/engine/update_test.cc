// Limits and restart policies that change while a container is there.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/detail/test_engine.h"

namespace engine {
namespace {

using namespace test;  // NOLINT: the vocabulary of these tests
using testing::ElementsAre;

std::string error_of(const auto& result) { return result ? std::string{"(no error)"} : result.error().message(); }

spec::api::ContainerStats stats_of(Engine& engine, const std::string& id) {
  spec::api::ContainerStats stats;
  EXPECT_TRUE(engine.containers().stats(id).value()->next(stats, {}).value());
  return stats;
}

TEST(Update, LimitsCountAtOnceAndAfterTheNextStart) {
  on_fresh_host([](Host& host) {
    host.load_image();
    auto options = running({"sleep", "100"}, "box");
    options.request.host_config.resources.memory = 64 << 20;
    options.request.host_config.resources.memory_swap = -1;
    create(host.engine(), options);
    ASSERT_TRUE(host.engine().containers().start("box", ""));
    EXPECT_EQ(stats_of(host.engine(), "box").memory_stats.limit, 64U << 20U);
    spec::api::UpdateRequest request;
    request.resources.memory = 96 << 20;
    request.resources.pids_limit = 33;
    const auto updated = host.engine().containers().update("box", request);
    ASSERT_TRUE(updated) << updated.error().message();
    EXPECT_EQ(stats_of(host.engine(), "box").memory_stats.limit, 96U << 20U);
    EXPECT_EQ(stats_of(host.engine(), "box").pids_stats.limit, 33U);
    host.close();
    host.open();
    Engine& engine = host.engine();
    const auto resources = engine.containers().inspect("box", false)->host_config.resources;
    EXPECT_EQ(resources.memory, 96 << 20);
    EXPECT_EQ(resources.pids_limit, 33);
    ASSERT_TRUE(engine.containers().restart("box", {.signal = "SIGKILL", .timeout = {}}));
    EXPECT_EQ(stats_of(engine, "box").memory_stats.limit, 96U << 20U);
    ASSERT_TRUE(engine.containers().remove("box", {.force = true}));
  });
}

TEST(Update, RestartPolicies) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    create(engine, running({"sh", "-c", "echo run; test -e /second && sleep 100; touch /second; sleep 0.3"}, "box"));
    ASSERT_TRUE(engine.containers().start("box", ""));
    ASSERT_TRUE(engine.containers().update("box", {.resources = {}, .restart_policy = {"always", 0}}));
    wait_for_output(engine, "box", "run\nrun\n");
    EXPECT_EQ(engine.containers().inspect("box", false)->host_config.restart_policy.name, "always");
    EXPECT_THAT(events_of(engine, {{"event", {"update"}}}), ElementsAre("update"));
    ASSERT_TRUE(engine.containers().remove("box", {.force = true}));

    auto options = running({"true"}, "rm");
    options.request.host_config.auto_remove = true;
    const std::string id = create(engine, options);
    const auto refused = engine.containers().update("rm", {.resources = {}, .restart_policy = {"always", 0}});
    EXPECT_TRUE(refused.failed_as(base::ErrorKind::Conflict));
    EXPECT_EQ(error_of(refused), "Cannot update container " + id +
                                     ": Restart policy cannot be updated because AutoRemove is enabled for the container");
    EXPECT_TRUE(engine.containers().update("rm", {.resources = {}, .restart_policy = {"sometimes", 0}})
                    .failed_as(base::ErrorKind::InvalidArgument));
    ASSERT_TRUE(engine.containers().remove("rm", {}));
  });
}

TEST(Update, ConflictsAreSaidAndChangeNothing) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    auto options = running({"true"}, "box");
    options.request.host_config.resources.nano_cpus = 500'000'000;
    const std::string id = create(engine, options);
    spec::api::UpdateRequest request;
    request.resources.cpu_period = 50'000;
    EXPECT_EQ(error_of(engine.containers().update("box", request)),
              "Cannot update container " + id +
                  ": Conflicting options: CPU Period cannot be updated as NanoCPUs has already been set");
    request = {};
    request.resources.memory = 1024;
    EXPECT_EQ(error_of(engine.containers().update("box", request)), "Minimum memory limit allowed is 6MB");
    EXPECT_EQ(engine.containers().inspect("box", false)->host_config.resources.cpu_period, 0);
    EXPECT_TRUE(engine.containers().update("nobody", request).failed_as(base::ErrorKind::NotFound));
    ASSERT_TRUE(engine.containers().remove("box", {}));
  });
}

}  // namespace
}  // namespace engine
