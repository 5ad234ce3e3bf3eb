#include "engine/health_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

spec::api::ContainerConfig with_test(std::vector<std::string> test) {
  spec::api::ContainerConfig config;
  config.healthcheck = spec::api::HealthConfig{.test = std::move(test)};
  return config;
}

TEST(HealthCheck, DefaultsAreDockers) {
  const auto check = parse_health_check(with_test({"CMD", "true"})).value().value();
  EXPECT_EQ(check.kind, "exec");
  EXPECT_EQ(check.interval, 30'000'000'000);
  EXPECT_EQ(check.timeout, 30'000'000'000);
  EXPECT_EQ(check.start_period, 0);
  EXPECT_EQ(check.start_interval, 5'000'000'000);
  EXPECT_EQ(check.retries, 3);
}

TEST(HealthCheck, NoneIsNone) {
  EXPECT_FALSE(parse_health_check({}).value());
  EXPECT_FALSE(parse_health_check(with_test({})).value());
  EXPECT_FALSE(parse_health_check(with_test({"NONE"})).value());
  EXPECT_THAT(health_command(with_test({"NONE"})), IsEmpty());
}

TEST(HealthCheck, CommandsWithAndWithoutAShell) {
  EXPECT_THAT(health_command(with_test({"CMD", "a", "b c"})), ElementsAre("a", "b c"));
  auto config = with_test({"CMD-SHELL", "a && b"});
  EXPECT_THAT(health_command(config), ElementsAre("/bin/sh", "-c", "a && b"));
  config.shell = std::vector<std::string>{"/bin/bash", "-ec"};
  EXPECT_THAT(health_command(config), ElementsAre("/bin/bash", "-ec", "a && b"));
}

TEST(HealthCheck, HttpAndTcp) {
  const auto http = parse_health_check(with_test({"HTTP", "http://localhost:8080/a?b=c"})).value().value();
  EXPECT_EQ(http.kind, "http");
  EXPECT_EQ(http.address, "127.0.0.1");
  EXPECT_EQ(http.port, 8080);
  EXPECT_EQ(http.authority, "localhost:8080");
  EXPECT_EQ(http.target, "/a?b=c");
  const auto bare = parse_health_check(with_test({"HTTP", "http://[::1]"})).value().value();
  EXPECT_EQ(bare.address, "::1");
  EXPECT_EQ(bare.port, 80);
  EXPECT_EQ(bare.target, "/");
  EXPECT_EQ(parse_health_check(with_test({"HTTP", "http://10.0.0.1?x"})).value()->target, "/?x");
  const auto tcp = parse_health_check(with_test({"TCP", "[fe80::1]:5432"})).value().value();
  EXPECT_EQ(tcp.kind, "tcp");
  EXPECT_EQ(tcp.address, "fe80::1");
  EXPECT_EQ(tcp.port, 5432);
}

TEST(HealthCheck, WhatCanNotBeProbedIsRefused) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> wrong{
      {{"CMD"}, "has no command"},
      {{"CMD-SHELL"}, "has no command"},
      {{"PING", "x"}, "Unknown healthcheck type \"PING\""},
      {{"HTTP"}, "needs one URL"},
      {{"TCP", "127.0.0.1:1", "x"}, "needs one ADDRESS:PORT"},
      {{"HTTP", "https://127.0.0.1/"}, "only http:// URLs"},
      {{"HTTP", "http://127.0.0.1/a b"}, "white space"},
      {{"HTTP", "http://127.0.0.1/\r\nX: y"}, "white space"},
      {{"HTTP", "http://example.test/"}, "neither an IP address nor localhost"},
      {{"HTTP", "http://user@127.0.0.1/"}, "neither an IP address nor localhost"},
      {{"HTTP", "http://127.0.0.1:0/"}, "no port from 1 to 65535"},
      {{"HTTP", "http://:80/"}, "neither an IP address"},
      {{"TCP", "127.0.0.1"}, "no port"},
      {{"TCP", "127.0.0.1:65536"}, "no port"},
      {{"TCP", "127.0.0.1:http"}, "no port"},
      {{"TCP", "[nowhere]:80"}, "no IPv6 address"}};
  for (const auto& [test, message] : wrong) {
    const auto check = parse_health_check(with_test(test));
    ASSERT_FALSE(check) << test.back();
    EXPECT_TRUE(check.error().is(base::ErrorKind::InvalidArgument));
    EXPECT_THAT(check.error().message(), HasSubstr(message)) << test.back();
  }
}

}  // namespace
}  // namespace engine
