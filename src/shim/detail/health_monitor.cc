#include "shim/detail/health_monitor.h"

#include <fmt/format.h>

#include "base/id.h"
#include "base/time.h"

namespace shim::detail {
namespace {

/// docker's exit code of a probe that could not be made or took too long.
constexpr int kNoResult = -1;

/// As Go prints it: "500ms", "1.5s", "1m30s", "1h0m0s".
std::string duration_text(std::int64_t nanoseconds) {
  constexpr std::int64_t second = 1'000'000'000;
  if (nanoseconds < second) return fmt::format("{}ms", static_cast<double>(nanoseconds) / 1e6);
  const std::int64_t minutes = nanoseconds / second / 60;
  std::string text = fmt::format("{}s", static_cast<double>(nanoseconds - minutes * 60 * second) / 1e9);
  if (minutes > 0) text.insert(0, fmt::format("{}m", minutes % 60));
  if (minutes >= 60) text.insert(0, fmt::format("{}h", minutes / 60));
  return text;
}

}  // namespace

HealthMonitor::HealthMonitor(const HealthCheck& check, OciRuntime& runtime, EventLoop& loop, Listener& listener)
    : check_{check}, runtime_{runtime}, loop_{loop}, listener_{listener}, record_{check_} {}

void HealthMonitor::begin(pid_t pid, Clock::time_point now) {
  pid_ = pid;
  record_.begin(now);
  due_ = now + record_.interval(now);
}

void HealthMonitor::suspend() {
  due_.reset();
  if (!probe_ || concluded_) return;
  concluded_ = true;
  probe_->cancel();
}

void HealthMonitor::resume(Clock::time_point now) { due_ = now + record_.interval(now); }

void HealthMonitor::end() {
  due_.reset();
  probe_.reset();
  record_.end();
}

void HealthMonitor::advance(Clock::time_point now) {
  const bool due = due_ && *due_ <= now;
  if (probe_ && !concluded_) {
    if (const auto code = probe_->result()) {
      conclude(*code, probe_->output());
    } else if (due) {
      probe_->cancel();
      std::string output = probe_->output();
      if (!output.empty()) output.insert(0, ": ");
      conclude(kNoResult, fmt::format("Health check exceeded timeout ({}){}", duration_text(check_.timeout), output));
    }
  }
  // One that was killed and does not die is not joined by more of its kind.
  if (probe_ && concluded_ && probe_->gone()) probe_.reset();
  if (!probe_ && due_ && *due_ <= now) start_probe(now);
}

void HealthMonitor::start_probe(Clock::time_point now) {
  began_ = now;
  began_text_ = base::to_rfc3339(base::now());
  concluded_ = false;
  due_ = now + std::chrono::nanoseconds{check_.timeout};
  exec_ = check_.kind == "exec" ? base::random_id() : std::string{};
  if (!exec_.empty()) listener_.on_probe_started(exec_);
  auto started = exec_.empty() ? start_socket_probe(check_, pid_, loop_)
                               : start_exec_probe(check_, exec_, runtime_, loop_);
  if (started) {
    probe_ = std::move(*started);
  } else {
    conclude(exec_.empty() ? 1 : kNoResult, started.error().message());
  }
}

void HealthMonitor::conclude(int exit_code, std::string output) {
  concluded_ = true;
  const bool changed = record_.take({.start = began_text_, .end = base::to_rfc3339(base::now()),
                                     .exit_code = exit_code, .output = std::move(output)},
                                    began_);
  const auto now = Clock::now();
  due_ = now + record_.interval(now);
  listener_.on_health(record_.health(), changed);
}

bool HealthMonitor::reaped(pid_t pid, const sys::ExitStatus& status) {
  if (!probe_ || !probe_->reaped(pid, status)) return false;
  listener_.on_probe_ended(exec_, status.shell_code());
  return true;
}

}  // namespace shim::detail
