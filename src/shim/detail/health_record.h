#pragma once
/// What the results of probes mean, without any clock or process of its own.
///
///             success                    `retries` failures one after the other
///   starting ─────────▶ healthy    starting, healthy ─────────▶ unhealthy ── success ─▶ healthy
///
/// While the container is starting, failures within the start period do not count, and probes follow each
/// other at the start interval. The last five results are kept. Source: docs.docker.com, HEALTHCHECK.

#include <chrono>
#include <string_view>

#include "shim/detail/event_loop.h"
#include "shim/health.h"

namespace shim::detail {

namespace health {
inline constexpr std::string_view kStarting = "starting";
inline constexpr std::string_view kHealthy = "healthy";
inline constexpr std::string_view kUnhealthy = "unhealthy";
/// Of a probe's output this much is kept, and "..." behind it where it was more.
inline constexpr std::size_t kOutputLimit = 4096;
}  // namespace health

class HealthRecord {
 public:
  explicit HealthRecord(const HealthCheck& check);

  /// The container runs from now on.
  void begin(Clock::time_point started) { started_ = started; }
  /// How long to wait before the next probe.
  [[nodiscard]] std::chrono::nanoseconds interval(Clock::time_point now) const;
  /// True if the status is another one now. `probe_began`: when the probe did.
  bool take(spec::api::HealthLogEntry result, Clock::time_point probe_began);
  /// The container has ended: docker calls it unhealthy from then on, without an event.
  void end() { health_.status = health::kUnhealthy; }

  [[nodiscard]] const spec::api::Health& health() const { return health_; }

 private:
  [[nodiscard]] bool in_start_period(Clock::time_point when) const { return when - started_ < start_period_; }

  const std::chrono::nanoseconds interval_, start_period_, start_interval_;
  const std::int64_t retries_;
  Clock::time_point started_;
  spec::api::Health health_;
};

}  // namespace shim::detail
