// The time that one container costs the engine, step by step: printed, not judged, since a loaded
// machine is no failure. `engine_test --gtest_filter=Latency.*` on a quiet one.

#include <algorithm>
#include <array>
#include <cstdio>

#include <gtest/gtest.h>

#include "engine/detail/test_engine.h"

namespace engine {
namespace {

using namespace test;  // NOLINT: the vocabulary of these tests
using Clock = std::chrono::steady_clock;

constexpr int kRounds = 30;

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void measure(const std::string& network) {
  on_fresh_host([&](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    std::array<std::vector<double>, 4> steps;
    for (int round = 0; round < kRounds; ++round) {
      auto options = running({"true"});
      options.request.host_config.network_mode = network;
      options.request.host_config.auto_remove = true;
      const auto begin = Clock::now();
      const std::string id = create(engine, options);
      auto removed = engine.containers().wait(id, WaitCondition::Removed).value();
      const auto created = Clock::now();
      const auto started_ok = engine.containers().start(id, "");
      ASSERT_TRUE(started_ok) << started_ok.error().message();
      const auto started = Clock::now();
      ASSERT_TRUE(removed->get({}));
      const auto over = Clock::now();
      const auto ms = [](auto d) { return std::chrono::duration<double, std::milli>(d).count(); };
      steps[0].push_back(ms(created - begin));
      steps[1].push_back(ms(started - created));
      steps[2].push_back(ms(over - started));
      steps[3].push_back(ms(over - begin));
    }
    std::printf("[ latency  ] network %-6s create %.2f ms, start %.2f ms, end to removal %.2f ms, all %.2f ms\n",
                network.c_str(), median(steps[0]), median(steps[1]), median(steps[2]), median(steps[3]));
  });
}

TEST(Latency, WithoutNetwork) { measure("none"); }
TEST(Latency, WithBridge) { measure("bridge"); }

}  // namespace
}  // namespace engine
