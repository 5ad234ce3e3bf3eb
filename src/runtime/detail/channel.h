#pragma once
/// What the runtime and a process that it sets up say to each other, over a SOCK_SEQPACKET pair.
///
///   child                         parent
///   Cloned            →                        (joined user namespace only) from a helper, on a channel
///                                              of its own: init's pid and pidfd
///   MapIds            →                        (new user namespace only)
///                     ←           IdsMapped
///   Namespaces        →                        (if somebody wants to know) all namespaces exist
///                     ←           Go           the cgroups exist: descriptors to enter them
///   Hooks             →                        (if the parent has hooks to run or interfaces to move)
///                     ←           HooksDone
///                     ←           Filter       the seccomp program, or none
///   Ready             →                        (if it waits or has a pty) everything is set up
///   Waiting           →                        (if it waits and has no startContainer hooks; a script report)
///   ... exec.fifo ...
///   Scheduler         →                        (exec with a policy that no child inherits; a script report)
///                     ←           Scheduled
///   Listener          →                        (seccomp notify only; a script report)
///                     ←           ListenerTaken
///   end of file       →                        execve has happened
///   Failed            →                        at any time: kind, errno, message
///
/// Each arrow that somebody waits for costs a wake-up of another CPU, so there are as few as can be: the
/// parent sends ahead, and a plain `run` waits for the end of file alone.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "sys/fd.h"

namespace runtime::detail {

enum class Topic : std::uint32_t {
  Cloned = 1,
  MapIds,
  IdsMapped,
  Namespaces,
  Go,
  Hooks,
  HooksDone,
  Filter,
  Ready,
  ListenerTaken,
  Scheduled,
  Failed,
  ScriptReport,  ///< of the last steps: sys::ScriptReport
};

struct Packet {
  Topic topic{};
  std::string text;
  std::vector<sys::UniqueFd> fds;
  std::uint32_t step = 0;   ///< ScriptReport
  std::int64_t result = 0;  ///< ScriptReport: −errno, or what the step reports
};

/// What expect() says when the other side is gone without a word.
inline constexpr std::string_view kEndedUnexpectedly = "the other process ended unexpectedly";

class Channel {
 public:
  struct Pair;
  /// Both ends; the child keeps one, the parent the other.
  static base::Result<Pair> make();

  Channel() = default;
  explicit Channel(sys::UniqueFd socket) : socket_{std::move(socket)} {}

  base::Result<> send(Topic topic, std::string_view text = {}, const std::vector<int>& fds = {}) const;
  /// Tells the parent why. Best effort: there is nobody else to tell.
  void send_failure(const base::Error& error) const;
  /// The next packet, nullopt at the end of file. A Failed packet comes back as its error.
  base::Result<std::optional<Packet>> receive() const;
  /// Waits for exactly this one. The other side's end is an error.
  base::Result<Packet> expect(Topic topic) const;

  [[nodiscard]] int fd() const { return socket_.get(); }
  void close() { socket_.reset(); }

 private:
  sys::UniqueFd socket_;
};

struct Channel::Pair {
  Channel parent;
  Channel child;
};

}  // namespace runtime::detail
