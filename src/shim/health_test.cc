/// Health checks: their rules in memory, and probes of real containers.
#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/strings.h"
#include "shim/detail/health_record.h"
#include "shim/test_container.h"
#include "sys/file.h"
#include "sys/process.h"

namespace shim {
namespace {

using detail::Clock;
using detail::HealthRecord;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;
using namespace std::chrono_literals;

constexpr std::int64_t kMs = 1'000'000;

spec::api::HealthLogEntry result(int code, std::string output = {}) {
  return {.exit_code = code, .output = std::move(output)};
}

TEST(HealthRecord, RetriesThenUnhealthyAndOneSuccessHeals) {
  HealthRecord record{{.kind = "exec", .interval = 7, .retries = 3}};
  const Clock::time_point start{};
  record.begin(start);
  EXPECT_EQ(record.health().status, "starting");
  EXPECT_FALSE(record.take(result(1), start + 1s));
  EXPECT_FALSE(record.take(result(2), start + 2s));
  EXPECT_EQ(record.health().failing_streak, 2);
  EXPECT_TRUE(record.take(result(-1), start + 3s));
  EXPECT_EQ(record.health().status, "unhealthy");
  EXPECT_FALSE(record.take(result(1), start + 4s));
  EXPECT_EQ(record.health().failing_streak, 4);
  EXPECT_TRUE(record.take(result(0), start + 5s));
  EXPECT_EQ(record.health().status, "healthy");
  EXPECT_EQ(record.health().failing_streak, 0);
  EXPECT_FALSE(record.take(result(1), start + 6s));
  EXPECT_EQ(record.health().status, "healthy") << "one failure is no illness";
}

TEST(HealthRecord, TheStartPeriodForgivesFailuresUntilTheFirstSuccess) {
  HealthRecord record{{.kind = "exec", .interval = 30'000 * kMs, .start_period = 10'000 * kMs,
                       .start_interval = 500 * kMs, .retries = 1}};
  const Clock::time_point start{};
  record.begin(start);
  EXPECT_EQ(record.interval(start + 1s), 500ms);
  EXPECT_FALSE(record.take(result(1), start + 1s));
  EXPECT_FALSE(record.take(result(1), start + 9s));
  EXPECT_EQ(record.health().failing_streak, 0);
  EXPECT_TRUE(record.take(result(0), start + 9500ms));
  EXPECT_EQ(record.interval(start + 9600ms), 30s) << "only while it is starting";
  EXPECT_TRUE(record.take(result(1), start + 9900ms)) << "it was healthy: now failures count";
  EXPECT_EQ(record.health().status, "unhealthy");
}

TEST(HealthRecord, AfterTheStartPeriodTheUsualIntervalHolds) {
  HealthRecord record{{.kind = "exec", .interval = 3'000 * kMs, .start_period = 2'000 * kMs,
                       .start_interval = 100 * kMs, .retries = 1}};
  const Clock::time_point start{};
  record.begin(start);
  EXPECT_EQ(record.interval(start + 2s), 3s);
  EXPECT_TRUE(record.take(result(1), start + 2s));
}

TEST(HealthRecord, KeepsFiveResultsThoseOfTheRunBeforeToo) {
  HealthRecord record{{.kind = "exec", .retries = 3, .log = {result(1, "old")}}};
  for (int i = 0; i < 4; ++i) record.take(result(0, std::to_string(i)), {});
  ASSERT_EQ(record.health().log.size(), 5U);
  EXPECT_EQ(record.health().log.front().output, "old");
  record.take(result(0, "4"), {});
  ASSERT_EQ(record.health().log.size(), 5U);
  EXPECT_EQ(record.health().log.front().output, "0");
  EXPECT_EQ(record.health().log.back().output, "4");
}

class ShimHealth : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "containers need root";
    const std::string runtime = GetParam();
    if (!runtime.empty() && ::access(runtime.c_str(), X_OK) != 0) GTEST_SKIP() << runtime << " is not here";
    box_.emplace(runtime);
  }
  TestContainer& box() { return *box_; }
  Client& shim() { return **box_->daemon; }
  /// Quick, and patient with a loaded machine.
  static HealthCheck check(std::string kind) {
    return {.kind = std::move(kind), .interval = 50 * kMs, .timeout = 20'000 * kMs, .start_interval = 50 * kMs,
            .retries = 2};
  }
  void check_by(const std::string& script) {
    box().options.health = check("exec");
    box().options.health->process = box().make_exec("x", script).process.dump();
  }
  void check_port(std::string kind, std::uint16_t port, std::string target = "/") {
    box().options.health = check(std::move(kind));
    box().options.health->address = "127.0.0.1";
    box().options.health->port = port;
    box().options.health->authority = "127.0.0.1:" + std::to_string(port);
    box().options.health->target = std::move(target);
  }
  std::optional<TestContainer> box_;
};
std::string name_of_runtime(const testing::TestParamInfo<const char*>& info) {
  const std::string path = info.param;
  return path.empty() ? "builtin" : path.substr(path.rfind('/') + 1);
}
INSTANTIATE_TEST_SUITE_P(Runtimes, ShimHealth, testing::Values("", "/usr/sbin/runc"), name_of_runtime);

TEST_P(ShimHealth, AProcessDecidesByItsExitCode) {
  check_by("echo fine; echo really >&2; test -e /tmp/well");
  box().run("sleep 1000");
  const auto sick = box().record.wait_health("unhealthy");
  ASSERT_TRUE(sick);
  const auto told = box().record.health_told();
  ASSERT_GE(told.size(), 6U);
  EXPECT_THAT(std::vector(told.begin(), told.begin() + 6),
              ElementsAre("started", "ended 1", "starting", "started", "ended 1", "unhealthy!"));
  EXPECT_EQ(sick->log.back().output, "fine\nreally\n");
  EXPECT_EQ(sick->log.back().exit_code, 1);
  EXPECT_GE(sick->failing_streak, 2);
  ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, box().options.rootfs + "/tmp/well", "", 0644));
  const auto well = box().record.wait_health("healthy");
  ASSERT_TRUE(well);
  EXPECT_EQ(well->failing_streak, 0);
  EXPECT_EQ(shim().state()->health->status, "healthy");
  EXPECT_TRUE(shim().state()->execs.empty()) << "a probe is no exec of a client's";
  ASSERT_TRUE(shim().signal({.signal = SIGKILL}));
  const auto exit = box().record.wait_exit();
  ASSERT_TRUE(exit && exit->health);
  EXPECT_EQ(exit->health->status, "unhealthy") << "as docker calls what does not run";
  EXPECT_TRUE(box().record.wait_lost());
  EXPECT_EQ(sys::read_file(sys::kCwd, box().run_dir() + "/shim.log").value(), "");
}

TEST_P(ShimHealth, LongOutputIsCutAt4096Bytes) {
  check_by("yes 0123456 | head -c 200000");
  box().run("sleep 1000");
  const auto health = box().record.wait_health("healthy");
  ASSERT_TRUE(health);
  const std::string& output = health->log.back().output;
  EXPECT_EQ(output.size(), 4096U + 3U);
  EXPECT_TRUE(output.starts_with("0123456\n0123456\n"));
  EXPECT_TRUE(output.ends_with("..."));
}

TEST_P(ShimHealth, OneThatTakesTooLongIsKilled) {
  check_by("echo slow; exec sleep 1000");
  box().options.health->timeout = 300 * kMs;
  box().run("sleep 1000");
  const auto health = box().record.wait_health("unhealthy");
  ASSERT_TRUE(health);
  EXPECT_EQ(health->log.back().exit_code, -1);
  EXPECT_THAT(health->log.back().output, StartsWith("Health check exceeded timeout (300ms)"));
  const auto told = box().record.health_told();
  EXPECT_THAT(told, testing::Contains("ended 137"));
  const auto pids = shim().processes();
  ASSERT_TRUE(pids);
  EXPECT_LE(pids->size(), 2U) << "probes do not pile up";
}

TEST_P(ShimHealth, ACommandThatIsNotThereIsAFailure) {
  check_by("x");
  auto exec = box().make_exec("x", "x");
  exec.process.set("args", codec::Json::array({"/bin/no-such-program"}));
  box().options.health->process = exec.process.dump();
  box().run("sleep 1000");
  const auto health = box().record.wait_health("unhealthy");
  ASSERT_TRUE(health);
  EXPECT_EQ(health->log.back().exit_code, -1);
  EXPECT_THAT(health->log.back().output, HasSubstr("no-such-program"));
}

TEST_P(ShimHealth, TcpAndHttpAreProbedInTheContainersNetwork) {
  check_port("http", 8080, "/well");
  ASSERT_TRUE(sys::make_dirs(sys::kCwd, box().options.rootfs + "/www", 0755));
  box().run("busybox httpd -f -p 127.0.0.1:8080 -h /www");
  const auto sick = box().record.wait_health("unhealthy");
  ASSERT_TRUE(sick);
  EXPECT_EQ(sick->log.back().exit_code, 1);
  ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, box().options.rootfs + "/www/well", "all is well", 0644));
  const auto well = box().record.wait_health("healthy");
  ASSERT_TRUE(well);
  EXPECT_THAT(well->log.back().output, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(box().record.health_told(), testing::Not(testing::Contains("started"))) << "no process is started";
  EXPECT_EQ(sys::read_file(sys::kCwd, box().run_dir() + "/shim.log").value(), "");
}

TEST_P(ShimHealth, APortThatNobodyListensAt) {
  check_port("tcp", 8081);
  box().run("while test ! -e /tmp/listen; do sleep 0.05; done; busybox httpd -f -p 127.0.0.1:8081");
  const auto sick = box().record.wait_health("unhealthy");
  ASSERT_TRUE(sick);
  EXPECT_THAT(sick->log.back().output, HasSubstr("Connection refused"));
  ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, box().options.rootfs + "/tmp/listen", "", 0644));
  ASSERT_TRUE(box().record.wait_health("healthy"));
}

TEST_P(ShimHealth, AServerThatAnswersNothingUsefulIsAFailure) {
  check_port("http", 8082);
  box().run("while true; do echo 'SSH-2.0-x' | busybox nc -l -p 8082 -s 127.0.0.1; done");
  const auto sick = box().record.wait_health("unhealthy");
  ASSERT_TRUE(sick);
  ASSERT_FALSE(sick->log.empty());
  EXPECT_NE(sick->log.back().output, "");
}

TEST_P(ShimHealth, NothingIsProbedWhileItIsPaused) {
  check_by("true");
  box().run("sleep 1000");
  ASSERT_TRUE(box().record.wait_health("healthy"));
  ASSERT_TRUE(shim().pause());
  // The reply stands behind all reports in the connection.
  ASSERT_TRUE(shim().state());
  const auto before = shim().state()->health.value();
  const auto told = box().record.health_told().size();
  std::this_thread::sleep_for(300ms);
  EXPECT_EQ(shim().state()->health->log.back().end, before.log.back().end);
  EXPECT_EQ(shim().state()->health->status, "healthy");
  EXPECT_EQ(box().record.health_told().size(), told);
  ASSERT_TRUE(shim().resume());
  box().record.reset();
  ASSERT_TRUE(box().record.wait_health("healthy"));
}

TEST_P(ShimHealth, ItGoesOnWithoutADaemon) {
  check_by("test -e /tmp/well");
  box().run("sleep 1000");
  ASSERT_TRUE(box().record.wait_health("unhealthy"));
  box().forget_daemon();
  ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, box().options.rootfs + "/tmp/well", "", 0644));
  box().adopt();
  ASSERT_TRUE(box().daemon);
  std::optional<spec::api::Health> health;
  for (int i = 0; i < 400 && (!health || health->status != "healthy"); ++i) {
    health = shim().state()->health;
    std::this_thread::sleep_for(50ms);
  }
  ASSERT_TRUE(health);
  EXPECT_EQ(health->status, "healthy");
}

}  // namespace
}  // namespace shim
