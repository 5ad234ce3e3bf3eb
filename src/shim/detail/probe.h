#pragma once
/// One attempt to find out whether the container is healthy. Nothing here blocks, but for the start of a
/// process, which takes what an exec takes.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <sys/types.h>

#include "base/result.h"
#include "shim/detail/event_loop.h"
#include "shim/detail/oci_runtime.h"
#include "shim/health.h"
#include "sys/process.h"

namespace shim::detail {

class Probe {
 public:
  virtual ~Probe() = default;

  /// 0: healthy. nullopt while it is not decided.
  [[nodiscard]] std::optional<int> result() const { return result_; }
  /// What it has printed or been answered, health::kOutputLimit bytes at most.
  [[nodiscard]] std::string output() const;
  /// It is not waited for any longer.
  virtual void cancel() {}
  /// Nothing of it is left: the next one may begin.
  [[nodiscard]] virtual bool gone() const { return true; }
  /// A child of this process has ended. True if it was this probe's.
  virtual bool reaped(pid_t /*pid*/, const sys::ExitStatus& /*status*/) { return false; }

 protected:
  void decide(int result) { result_ = result; }
  void print(std::string_view bytes);

 private:
  std::optional<int> result_;
  std::string output_;
  bool cut_ = false;
};

/// "tcp" and "http". `pid`: a process in the container. Errors: what is known at once (no route, …).
base::Result<std::unique_ptr<Probe>> start_socket_probe(const HealthCheck& check, pid_t pid, EventLoop& loop);

/// "exec". Errors: those of the runtime (no such command, …).
base::Result<std::unique_ptr<Probe>> start_exec_probe(const HealthCheck& check, const std::string& id,
                                                      OciRuntime& runtime, EventLoop& loop);

}  // namespace shim::detail
