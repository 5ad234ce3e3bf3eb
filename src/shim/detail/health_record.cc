#include "shim/detail/health_record.h"

namespace shim::detail {

HealthRecord::HealthRecord(const HealthCheck& check)
    : interval_{check.interval},
      start_period_{check.start_period},
      start_interval_{check.start_interval},
      retries_{check.retries},
      health_{.status = std::string{health::kStarting}, .log = check.log} {}

std::chrono::nanoseconds HealthRecord::interval(Clock::time_point now) const {
  return health_.status == health::kStarting && in_start_period(now) ? start_interval_ : interval_;
}

bool HealthRecord::take(spec::api::HealthLogEntry result, Clock::time_point probe_began) {
  constexpr std::size_t kept = 5;
  const std::string before = health_.status;
  if (result.exit_code == 0) {
    health_.failing_streak = 0;
    health_.status = health::kHealthy;
  } else if (before != health::kStarting || !in_start_period(probe_began)) {
    ++health_.failing_streak;
    if (health_.failing_streak >= retries_) health_.status = health::kUnhealthy;
  }
  auto& log = health_.log;
  log.push_back(std::move(result));
  if (log.size() > kept) log.erase(log.begin(), log.end() - kept);
  return health_.status != before;
}

}  // namespace shim::detail
