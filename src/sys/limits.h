#pragma once
/// What a process may use and how it is scheduled: prlimit(2), sched_setattr(2), ioprio_set(2),
/// set_mempolicy(2), personality(2), /proc/<pid>/oom_score_adj. They act on the calling process unless
/// they take a `pid`; 0 is the calling process.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "base/result.h"

namespace sys {

/// "RLIMIT_NOFILE" → RLIMIT_NOFILE. nullopt for an unknown name.
[[nodiscard]] std::optional<int> rlimit_number(std::string_view name);
struct Rlimit {
  std::uint64_t soft = 0;  ///< UINT64_MAX: unlimited
  std::uint64_t hard = 0;
};
base::Result<Rlimit> rlimit_of(pid_t pid, int resource);
/// Errors: PermissionDenied when `hard` is above the present one and the
/// caller lacks CAP_SYS_RESOURCE.
base::Result<> set_rlimit(pid_t pid, int resource, std::uint64_t soft, std::uint64_t hard);

/// -1000 to 1000. Errors: PermissionDenied when lowered without CAP_SYS_RESOURCE.
base::Result<> set_oom_score_adj(pid_t pid, int value);

struct SchedulerAttributes {
  std::uint32_t policy = 0;  ///< SCHED_OTHER, …
  std::uint64_t flags = 0;   ///< SCHED_FLAG_*
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime = 0;  ///< ns
  std::uint64_t deadline = 0;
  std::uint64_t period = 0;
};
/// Errors: PermissionDenied, also for a deadline where the process may not run on every CPU.
base::Result<> set_scheduler(pid_t pid, const SchedulerAttributes& wanted);
/// `io_class` as in linux/ioprio.h: 1 real-time, 2 best effort, 3 idle.
base::Result<> set_io_priority(int io_class, int priority);
/// "0-3,7". Errors: InvalidArgument.
base::Result<> set_cpu_affinity(std::string_view list);
/// Every CPU that the cpuset allows.
base::Result<> reset_cpu_affinity();
/// `nodes` as above. `mode`: MPOL_* with its MPOL_F_* flags.
base::Result<> set_memory_policy(int mode, std::string_view nodes);
base::Result<> set_personality(unsigned long persona);

/// The numbers of a list such as "0-3,7". Errors: InvalidArgument.
base::Result<std::vector<unsigned>> parse_number_list(std::string_view list);

/// A new session keyring of this name, so that the caller's is out of reach; keyctl(2). A kernel
/// without keyrings is no error.
base::Result<> join_session_keyring(const std::string& name);

/// The calling process can't be traced or looked into by others of its uid (PR_SET_DUMPABLE 0).
base::Result<> hide_from_tracing();

}  // namespace sys
