#pragma once
/// Staying with a process until it ends: its terminal, its signals, its exit status.

#include "base/result.h"
#include "spec/runtime_config.h"
#include "sys/fd.h"
#include "sys/process.h"
#include "sys/signals.h"

namespace caisson_runtime {

/// Gives a process with a terminal the size of ours from its first moment, unless it names one.
void adopt_window_size(spec::oci::Process& process);

/// All signals that a program can be sent and this one passes on; blocked from before the process is
/// made until its end, so that none is lost in between.
class Foreground {
 public:
  Foreground();

  /// Passes signals to the process, and bytes between its terminal (if `pty` is one) and ours, until it
  /// has ended; its status as a shell says it.
  base::Result<int> stay(const sys::Process& process, sys::UniqueFd pty);

 private:
  sys::SignalBlock block_;
};

}  // namespace caisson_runtime
