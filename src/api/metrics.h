#pragma once
/// What Prometheus is told: docker's names (engine_daemon_…) and what an operator of this daemon wants to know besides
/// (caisson_…, process_…). Source: Prometheus' text format 0.0.4; docker's metrics documentation.

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "api/call.h"
#include "http/exchange.h"
#include "http/server.h"

namespace api {

/// Seconds, in the buckets of Prometheus' own clients.
class Histogram {
 public:
  static constexpr std::array<double, 11> kBounds{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};

  void observe(std::chrono::nanoseconds time);
  /// `labels`: `action="create"`, or "".
  void append_to(std::string& out, std::string_view name, std::string_view labels) const;

 private:
  std::array<std::uint64_t, kBounds.size()> buckets_{};  ///< not cumulative
  std::uint64_t count_ = 0;
  double sum_ = 0;
};

/// Counts requests. Safe from any thread; an observation costs one lock that is held for nanoseconds.
class Metrics {
 public:
  Metrics();
  /// After an answer. `method` and `pattern` are the route's, both "" where there was none.
  void count(std::string_view method, std::string_view pattern, int status, std::chrono::nanoseconds time);
  void append_to(std::string& out) const;

 private:
  using Action = std::pair<std::string_view, std::string_view>;  ///< metric's name, label

  mutable std::mutex mutex_;  // guards all below
  std::map<Action, Histogram> actions_;
  std::map<std::pair<std::string, int>, std::uint64_t> requests_;  ///< by method and status
  Histogram request_time_;
};

/// GET /metrics on an address of its own. References outlive it; the API server may come later.
class MetricsHandler final : public http::Handler {
 public:
  MetricsHandler(const Metrics& metrics, Services services) : metrics_{metrics}, services_{services} {}
  void handle(http::Exchange& exchange) override;
  void set_server(const http::Server* server) { server_ = server; }

 private:
  [[nodiscard]] std::string text();

  const Metrics& metrics_;
  Services services_;
  const http::Server* server_ = nullptr;
};

}  // namespace api
