// Health checks as clients see them: inspect, ps, filters, events, and restarts of what is unhealthy.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/detail/test_engine.h"

namespace engine {
namespace {

using namespace test;  // NOLINT: the vocabulary of these tests
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::int64_t kMs = 1'000'000;

CreateOptions checked(std::vector<std::string> test, std::string name, std::vector<std::string> command = {"sleep", "1000"}) {
  auto options = running(std::move(command), std::move(name));
  options.request.config.healthcheck =
      spec::api::HealthConfig{.test = std::move(test), .interval = 200 * kMs, .timeout = 20'000 * kMs, .retries = 2};
  return options;
}

std::optional<spec::api::Health> health_of(Engine& engine, const std::string& id) {
  const auto found = engine.containers().inspect(id, false);
  return found ? found->state.health : std::nullopt;
}

void wait_for_health(Engine& engine, const std::string& id, const std::string& status) {
  for (int i = 0; i < 1000; ++i) {
    const auto health = health_of(engine, id);
    if (health && health->status == status) return;
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  }
  const auto health = health_of(engine, id);
  ADD_FAILURE() << id << " does not become " << status << " but is " << (health ? health->status : "without a check");
}

std::vector<std::string> names_with(Engine& engine, const std::string& health) {
  std::vector<std::string> names;
  const auto listed = engine.containers().list({.all = true, .filters = {{"health", {health}}}}).value();
  for (const auto& one : listed) names.push_back(one.names.front());
  return names;
}

TEST(Health, IsSeenByInspectPsFiltersAndEvents) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    const std::string id = create(engine, checked({"CMD-SHELL", "echo hi; test -e /tmp/well"}, "sick"));
    create(engine, running({"true"}, "plain"));
    EXPECT_FALSE(health_of(engine, id)) << "nothing is known of what was never started";
    ASSERT_TRUE(engine.containers().start(id, ""));
    ASSERT_TRUE(health_of(engine, id));
    wait_for_health(engine, id, "unhealthy");
    const auto health = health_of(engine, id).value();
    EXPECT_GE(health.failing_streak, 2);
    EXPECT_EQ(health.log.back().exit_code, 1);
    EXPECT_EQ(health.log.back().output, "hi\n");
    EXPECT_LE(health.log.back().start, health.log.back().end);
    const auto listed = engine.containers().list({}).value();
    ASSERT_THAT(listed, SizeIs(1));
    EXPECT_THAT(listed.front().status, HasSubstr("(unhealthy)"));
    EXPECT_EQ(listed.front().health.status, "unhealthy");
    EXPECT_THAT(names_with(engine, "unhealthy"), ElementsAre("/sick"));
    EXPECT_THAT(names_with(engine, "none"), ElementsAre("/plain"));

    const auto exec = engine.execs().create(id, {.cmd = {"touch", "/tmp/well"}});
    ASSERT_TRUE(exec);
    ASSERT_TRUE(engine.execs().start_detached(*exec));
    wait_for_health(engine, id, "healthy");
    EXPECT_THAT(names_with(engine, "healthy"), ElementsAre("/sick"));
    ASSERT_TRUE(engine.containers().stop(id, {.timeout = std::chrono::seconds{0}}));
    EXPECT_EQ(health_of(engine, id)->status, "unhealthy") << "what does not run is not healthy, as docker has it";
    EXPECT_THAT(engine.containers().list({.all = true}).value().back().health.status, "none");

    const auto events = events_of(engine, {{"container", {"sick"}}}, "exitCode");
    std::vector<std::string> first(events.begin(), events.begin() + 9);
    const std::string probe = "/bin/sh -c echo hi; test -e /tmp/well";
    EXPECT_THAT(first, ElementsAre("create", "start", "exec_create: " + probe, "exec_start: " + probe, "exec_die=1",
                                   "exec_create: " + probe, "exec_start: " + probe, "exec_die=1",
                                   "health_status: unhealthy"));
    EXPECT_THAT(events_of(engine, {{"container", {"sick"}}, {"event", {"health_status"}}}),
                ElementsAre("health_status: unhealthy", "health_status: healthy"));
  });
}

TEST(Health, ComesFromTheImageAndCanBeSwitchedOff) {
  on_fresh_host([](Host& host) {
    codec::Json config = default_image_config();
    config.set("Healthcheck", codec::Json::object({{"Test", codec::Json::array({"CMD", "true"})}, {"Interval", 50 * kMs}}));
    host.load_image(config);
    Engine& engine = host.engine();
    const std::string id = create(engine, running({"sleep", "1000"}, "image"));
    ASSERT_TRUE(engine.containers().start(id, ""));
    wait_for_health(engine, id, "healthy");
    auto off = running({"sleep", "1000"}, "off");
    off.request.config.healthcheck = spec::api::HealthConfig{.test = {"NONE"}};
    const std::string none = create(engine, off);
    ASSERT_TRUE(engine.containers().start(none, ""));
    EXPECT_FALSE(health_of(engine, none));
    for (const auto& name : {id, none}) ASSERT_TRUE(engine.containers().remove(name, {.force = true}));
  });
}

TEST(Health, GoesOnWhileNoDaemonLives) {
  on_fresh_host([](Host& host) {
    host.load_image();
    ASSERT_TRUE(sys::make_dirs(sys::kCwd, host.root() + "/bound", 0755));
    auto options = checked({"TCP", "127.0.0.1:80"}, "server",
                           {"sh", "-c", "until test -e /bound/go; do sleep 0.05; done; while :; do nc -l -p 80 </dev/null; done"});
    options.request.host_config.binds = std::vector<std::string>{host.root() + "/bound:/bound"};
    const std::string id = create(host.engine(), options);
    ASSERT_TRUE(host.engine().containers().start(id, ""));
    wait_for_health(host.engine(), id, "unhealthy");
    host.close();
    ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, host.root() + "/bound/go", "", 0644));
    std::this_thread::sleep_for(std::chrono::seconds{4});
    const std::string opened = base::to_rfc3339(base::now());
    host.open();
    wait_for_health(host.engine(), id, "healthy");
    EXPECT_LT(health_of(host.engine(), id)->log.front().end, opened) << "it was probed while no daemon lived";
    EXPECT_THAT(events_of(host.engine(), {{"event", {"health_status"}}}), Contains("health_status: healthy"));
    ASSERT_TRUE(host.engine().containers().remove(id, {.force = true}));
  });
}

TEST(Health, WhatIsUnhealthyIsRestartedIfItsUserWantsThat) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    auto options = checked({"CMD", "test", "-e", "/mark"}, "phoenix",
                           {"sh", "-c", "test -e /second && touch /mark; touch /second; trap 'exit 0' TERM; while :; do sleep 0.05; done"});
    options.request.host_config.health_restart = true;
    const std::string id = create(engine, options);
    ASSERT_TRUE(engine.containers().start(id, ""));
    wait_for_health(engine, id, "healthy");
    const auto after = engine.containers().inspect(id, false).value();
    EXPECT_EQ(after.restart_count, 1);
    EXPECT_TRUE(after.state.running);
    EXPECT_TRUE(after.host_config.health_restart);
    EXPECT_THAT(events_of(engine, {{"container", {"phoenix"}}, {"event", {"start", "die", "kill", "health_status"}}}),
                ElementsAre("start", "health_status: unhealthy", "kill", "die", "start", "health_status: healthy"));
    // What a client stops stays stopped.
    ASSERT_TRUE(engine.containers().stop(id, {}));
    EXPECT_EQ(engine.containers().inspect(id, false)->state.status, "exited");
    ASSERT_TRUE(engine.containers().remove(id, {}));
  });
}

TEST(Health, WithoutTheOptionItIsLeftAlone) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    auto options = checked({"CMD", "false"}, "ill");
    options.request.host_config.restart_policy = {"always", 0};
    const std::string id = create(engine, options);
    ASSERT_TRUE(engine.containers().start(id, ""));
    wait_for_health(engine, id, "unhealthy");
    for (int i = 0; i < 50 && health_of(engine, id)->failing_streak < 6; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds{50});
    }
    EXPECT_EQ(engine.containers().inspect(id, false)->restart_count, 0);
    EXPECT_TRUE(engine.containers().inspect(id, false)->state.running);
    ASSERT_TRUE(engine.containers().remove(id, {.force = true}));
  });
}

TEST(Health, WrongOnesAreRefusedBeforeAnythingIsMade) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    const auto refusal = [&](const CreateOptions& options) {
      const auto created = engine.containers().create(options);
      return created ? std::string{"created"} : created.error().message();
    };
    EXPECT_THAT(refusal(checked({"HTTP", "ftp://x"}, "wrong-a")), HasSubstr("only http:// URLs"));
    EXPECT_THAT(refusal(checked({"PING"}, "wrong-b")), HasSubstr("Unknown healthcheck type \"PING\""));
    auto eager = checked({"CMD", "true"}, "wrong-c");
    eager.request.config.healthcheck->interval = 1000;
    EXPECT_EQ(refusal(eager), "Interval in Healthcheck cannot be less than 1ms");
    auto none = running({"true"}, "wrong-d");
    none.request.host_config.health_restart = true;
    EXPECT_THAT(refusal(none), HasSubstr("needs a health check"));
    auto removed = checked({"CMD", "true"}, "wrong-e");
    removed.request.host_config.health_restart = removed.request.host_config.auto_remove = true;
    EXPECT_THAT(refusal(removed), HasSubstr("AutoRemove"));
    EXPECT_THAT(engine.containers().list({.all = true}).value(), IsEmpty());
  });
}

}  // namespace
}  // namespace engine
