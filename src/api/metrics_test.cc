#include "api/metrics.h"

#include <gtest/gtest.h>

namespace api {
namespace {

using namespace std::chrono_literals;

bool has_line(const std::string& text, const std::string& line) { return ("\n" + text).find("\n" + line + "\n") != std::string::npos; }

TEST(Metrics, BucketsAreCumulative) {
  Histogram histogram;
  for (const auto time : {1ms, 5ms, 6ms, 20'000ms}) histogram.observe(time);
  std::string out;
  histogram.append_to(out, "x", "a=\"b\"");
  EXPECT_TRUE(has_line(out, R"(x_bucket{a="b",le="0.005"} 2)")) << out;
  EXPECT_TRUE(has_line(out, R"(x_bucket{a="b",le="0.01"} 3)"));
  EXPECT_TRUE(has_line(out, R"(x_bucket{a="b",le="10"} 3)"));
  EXPECT_TRUE(has_line(out, R"(x_bucket{a="b",le="+Inf"} 4)"));
  EXPECT_TRUE(has_line(out, R"(x_count{a="b"} 4)"));
}

TEST(Metrics, OnlySuccessesAreActions) {
  Metrics metrics;
  metrics.count("POST", "/containers/create", 201, 1ms);
  metrics.count("POST", "/containers/create", 404, 1ms);
  metrics.count("", "", 404, 1ms);
  std::string out;
  metrics.append_to(out);
  EXPECT_TRUE(has_line(out, R"(engine_daemon_container_actions_seconds_count{action="create"} 1)")) << out;
  EXPECT_TRUE(has_line(out, R"(engine_daemon_container_actions_seconds_count{action="start"} 0)"));
  EXPECT_TRUE(has_line(out, R"(caisson_api_requests_total{method="POST",code="404"} 1)"));
  EXPECT_TRUE(has_line(out, "caisson_api_request_seconds_count 3"));
}

}  // namespace
}  // namespace api
