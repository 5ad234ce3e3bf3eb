#pragma once
/// The last steps before a foreign program runs, made by a program of their own.
///
/// Whoever may decide what a container executes can make it execute /proc/self/exe (a symlink, a
/// script's "#!" line, an ELF interpreter) or open that link in another process, and so get hold of
/// the binary of the runtime that was about to start it: CVE-2019-5736. So the runtime never is the
/// process that executes a container's program. It writes down the remaining system calls, puts them
/// with a loop of some hundred bytes that makes them into a memory file, seals that against writing
/// and executes it. From then on /proc/self/exe is a throw-away that nobody can write to, the
/// runtime's memory is gone and every descriptor with close-on-exec is closed. This costs 0.05 ms,
/// where executing the runtime itself again from a sealed copy would cost 0.4 ms.
///
/// The image is one segment, readable and executable, at a fixed address, so data can be pointed to
/// while it is being written. Sources: execve(2), memfd_create(2), elf(5).

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sys/fd.h"

namespace sys {

/// What arrives at `report_fd`, as one packet, when a step fails or a Fork step has forked.
struct ScriptReport {
  static constexpr std::uint32_t kMark = 0x53435254;
  std::uint32_t mark;
  std::uint32_t step;   ///< as given to call()
  std::int64_t result;  ///< −errno of the failed call; the child's pid of a Fork step
};

class SyscallScript {
 public:
  /// Where something is in the image: valid there only.
  using Address = std::uint64_t;

  enum Flags : std::uint32_t {
    kNone = 0,
    kIgnoreFailure = 1,
    kFirstIsLastResult = 2,  ///< argument 0 is the previous call's result
    /// The call is a clone: the child goes on, the parent reports its pid and exits with 0.
    kFork = 4,
    /// Reports its result, too, and goes on.
    kReportResult = 8,
  };

  SyscallScript();

  Address bytes(const void* data, std::size_t size);
  Address text(std::string_view text);  ///< NUL-terminated
  /// A NULL-terminated array of strings, as execve(2) wants it.
  Address texts(const std::vector<std::string>& texts);

  /// Appends a call. `step` comes back in the report of its failure, which ends the process with 1.
  void call(std::uint32_t step, long number, std::array<std::uint64_t, 6> arguments, std::uint32_t flags = kNone);

  /// Executes the script. `report_fd`, a SOCK_SEQPACKET socket, must stay open across execve; the
  /// script closes it by close-on-exec when its last call, an execve, succeeds. Returns on failure
  /// only. Errors: NotImplemented, Internal.
  base::Error run(int report_fd);

 private:
  struct Call {
    std::uint64_t number;
    std::array<std::uint64_t, 6> arguments;
    std::uint32_t flags;
    std::uint32_t step;
  };
  static_assert(sizeof(Call) == 64, "the loop steps by 64");

  base::Result<UniqueFd> image_file() const;

  std::string image_;
  std::vector<Call> calls_;
};

}  // namespace sys
