#pragma once
/// Probes a running container, one probe at a time, and remembers what was found.

#include <memory>
#include <optional>
#include <string>

#include "shim/detail/health_record.h"
#include "shim/detail/probe.h"

namespace shim::detail {

class HealthMonitor {
 public:
  class Listener {
   public:
    /// A process of the container: `exec` names it.
    virtual void on_probe_started(const std::string& exec) = 0;
    virtual void on_probe_ended(const std::string& exec, int exit_code) = 0;
    /// A result has come. `changed`: the status is another one.
    virtual void on_health(const spec::api::Health& health, bool changed) = 0;

   protected:
    ~Listener() = default;
  };

  /// `check` outlives it.
  HealthMonitor(const HealthCheck& check, OciRuntime& runtime, EventLoop& loop, Listener& listener);
  HealthMonitor(const HealthMonitor&) = delete;
  HealthMonitor& operator=(const HealthMonitor&) = delete;

  /// The container runs from now on; `pid` is its init.
  void begin(pid_t pid, Clock::time_point now);
  /// It is frozen: nothing is probed, and a probe under way says nothing.
  void suspend();
  /// It runs again.
  void resume(Clock::time_point now);
  /// It has ended.
  void end();

  /// Does what is due.
  void advance(Clock::time_point now);
  [[nodiscard]] std::optional<Clock::time_point> deadline() const { return due_; }
  /// True if the child was a probe's.
  bool reaped(pid_t pid, const sys::ExitStatus& status);

  [[nodiscard]] const spec::api::Health& health() const { return record_.health(); }

 private:
  void start_probe(Clock::time_point now);
  void conclude(int exit_code, std::string output);

  const HealthCheck& check_;
  OciRuntime& runtime_;
  EventLoop& loop_;
  Listener& listener_;
  HealthRecord record_;
  pid_t pid_ = 0;
  std::unique_ptr<Probe> probe_;
  std::string exec_;         ///< the probe's name if it is a process
  bool concluded_ = false;   ///< its result is known, or of no interest
  Clock::time_point began_;
  std::string began_text_;
  /// Of the next probe, or the end of patience with this one.
  std::optional<Clock::time_point> due_;
};

}  // namespace shim::detail
