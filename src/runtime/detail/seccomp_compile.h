#pragma once
/// From a seccomp section to a classic BPF program.
///
/// Per architecture, system call numbers are cut into ranges of equal answer, and a balanced tree of
/// comparisons finds the range. Docker's default list of 360 names over three architectures is some
/// 60 ranges, and any number is decided in about eight instructions. That matters twice: at every
/// system call that the kernel's own cache can't answer, and when the filter is loaded, since the
/// kernel then runs it once for every number there is.
///
/// Meaning, as runc and libseccomp have it:
///  * a rule without arguments covers all others of its system call; among the rest the first that
///    matches wins; several conditions on one argument are alternatives;
///  * names that an architecture does not have are skipped;
///  * architectures that are not listed are killed, as is x32 unless it is listed;
///  * numbers above the highest one that any rule names get ENOSYS instead of a denying default, so
///    that programs fall back from system calls that the profile's author could not know;
///  * on x86, a rule for a socket or System V IPC call also covers its form as socketcall(2), ipc(2).
///
/// Sources: seccomp(2), OCI config-linux.md "Seccomp", libseccomp for names and numbers.

#include <cstdint>
#include <vector>

#include <linux/filter.h>

#include "base/result.h"
#include "spec/runtime_linux.h"

namespace runtime::detail {

struct SeccompProgram {
  std::vector<::sock_filter> code;
  std::uint32_t flags = 0;  ///< SECCOMP_FILTER_FLAG_*
  /// A rule asks user space: loading gives a descriptor that somebody must serve.
  bool notifies = false;
};

/// Errors: InvalidArgument, naming the unknown action, operator, architecture or flag.
base::Result<SeccompProgram> compile_seccomp(const spec::oci::Seccomp& section);

/// For `features`.
[[nodiscard]] std::vector<std::string> known_seccomp_actions();
[[nodiscard]] std::vector<std::string> known_seccomp_operators();
[[nodiscard]] std::vector<std::string> known_seccomp_architectures();
[[nodiscard]] std::vector<std::string> known_seccomp_flags();

}  // namespace runtime::detail
