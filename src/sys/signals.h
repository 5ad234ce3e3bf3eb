#pragma once
/// Signals of a program that waits for them instead of being interrupted, by sigwait(3) or as events
/// of a descriptor, signalfd(2); and their names, signal(7).

#include <chrono>
#include <csignal>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sys/fd.h"

namespace sys {

/// Blocks them for the calling thread and the threads that it starts from here on.
base::Result<> block_signals(std::initializer_list<int> signals);
/// Waits for one of them, which all threads block. Errors: Internal.
base::Result<int> wait_for_signal(std::initializer_list<int> signals);
/// The same for a while; nullopt when none came.
base::Result<std::optional<int>> wait_for_signal(std::initializer_list<int> signals, std::chrono::milliseconds time);
/// A write to a peer that is gone is an error (EPIPE) and no signal. For the whole process.
void ignore_sigpipe();
/// For the whole process, and for its children's programs unless they are started by sys::spawn.
void ignore_signals(std::initializer_list<int> signals);

/// Blocks signals in the calling thread while it lives. Children and their programs inherit the mask,
/// so whoever clones restores it there (`unblock_all_signals`).
class SignalBlock {
 public:
  explicit SignalBlock(const std::vector<int>& signals);
  /// All that can be blocked.
  SignalBlock();
  SignalBlock(const SignalBlock&) = delete;
  SignalBlock& operator=(const SignalBlock&) = delete;
  ~SignalBlock();
  [[nodiscard]] const sigset_t& blocked() const { return blocked_; }

 private:
  sigset_t blocked_{};
  sigset_t before_{};
};

/// A descriptor that tells the blocked signals.
base::Result<UniqueFd> make_signal_fd(const sigset_t& blocked, int flags = 0);
/// The next signal's number; nullopt when a non-blocking descriptor has none.
base::Result<std::optional<int>> read_signal(int signal_fd);

/// Every handler to its default and nothing blocked, as a new program expects.
void reset_signals();

/// "KILL", "SIGKILL", "9", "RTMIN+3" → the number. nullopt if there is no such signal.
[[nodiscard]] std::optional<int> signal_number(std::string_view name);
/// "SIGKILL"; empty for an unknown number.
[[nodiscard]] std::string_view signal_name(int number);

}  // namespace sys
