#pragma once
/// The steps from "root, namespaces and cgroups are right" to execve, as a sys::SyscallScript: who the
/// process is, what it may do, its filter. They run in a program of their own (see syscall_script.h),
/// so that nothing of the runtime, neither memory nor binary nor descriptors, is within reach of a
/// process that has the container's identity.
///
/// For `exec` the script also forks: its first half runs outside of the container's PID namespace,
/// where nobody can trace it, and gives up every privilege; only what is left is born inside.
///
/// A created container waits for its start in the script, too: what can be seen inside until then, by
/// a process that `exec` put there, has no more than the container has. (With startContainer hooks it
/// is the runtime that waits, as it has the hooks to run.)

#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/detail/seccomp_compile.h"
#include "spec/runtime_config.h"
#include "sys/capability.h"
#include "sys/fd.h"

namespace runtime::detail {

/// The capability sets of a process as far as the caller has them to give. Unknown names are ignored,
/// as the specification wants, and so is what the host does not grant us.
struct CapabilityPlan {
  sys::CapabilitySet bounding = 0;
  sys::CapabilitySet ambient = 0;
  sys::CapabilityState sets;
};
base::Result<CapabilityPlan> plan_capabilities(const spec::oci::Process& process);

struct FinalStage {
  const spec::oci::Process* process = nullptr;
  std::string program;  ///< the path to execute
  std::vector<std::string> env;
  CapabilityPlan capabilities;
  const SeccompProgram* seccomp = nullptr;
  int preserve_fds = 0;
  /// The host's /proc, if a security label must be written there. O_PATH.
  sys::UniqueFd host_proc;
  /// exec.fifo, open for reading and writing: a byte in it means go. Invalid: don't wait.
  sys::UniqueFd fifo;
  bool fork = false;
  /// With `fork`: the new process waits for Topic::Scheduled.
  bool awaits_scheduler = false;
  /// With `fork`: v1 cgroups that the new process joins.
  std::vector<sys::UniqueFd> cgroup_tasks;
};

/// Which step of the script failed.
enum class Step : std::uint32_t {
  Label = 1,
  Limits,
  BoundingSet,
  KeepCapabilities,
  SetGid,
  SetUid,
  Capabilities,
  Ambient,
  NoNewPrivileges,
  Fork,
  JoinCgroup,
  Scheduler,  ///< no failure: it waits for its policy
  Session,
  Terminal,
  Waiting,  ///< no failure: everything is done but what follows the start
  Descriptors,
  Directory,
  Seccomp,
  Listener,
  Execute,
};

/// What a failed step means, for the parent. Execute: NotFound or PermissionDenied by its errno.
base::Error step_error(Step step, int errno_value, const std::string& program);

/// Closes what the program must not inherit, and goes. `report` is the child's end of the channel.
/// Returns on failure only.
base::Error run_final_stage(FinalStage stage, int report);

}  // namespace runtime::detail
