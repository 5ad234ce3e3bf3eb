#pragma once
/// linux.intelRdt: cache and memory bandwidth by groups of the resctrl file system.
/// Sources: OCI config-linux.md "IntelRdt"; Linux Documentation/arch/x86/resctrl.rst.

#include <string>

#include <sys/types.h>

#include "base/result.h"
#include "spec/runtime_linux.h"

namespace runtime::detail {

/// What can be judged without the file system. Errors: InvalidArgument.
base::Result<> check_intel_rdt(const spec::oci::IntelRdt& wanted);

/// Where resctrl is mounted, from mountinfo. Errors: NotImplemented (nowhere).
base::Result<std::string> find_resctrl();

struct RdtGroup {
  std::string directory;  ///< <resctrl>/<closID or container id>
  bool made = false;      ///< it was made for this container and goes with it
  std::string monitor;    ///< <directory>/mon_groups/<container id>, or empty
};

/// Makes or checks the group below `mount`, writes its schemata and puts `pid` into it. After an
/// error nothing that was made is left. Errors: InvalidArgument (a group that is there has other
/// schemata, or none is there though it must), Internal (the kernel refused).
base::Result<RdtGroup> join_rdt_group(const std::string& mount, const spec::oci::IntelRdt& wanted, const std::string& id,
                                      pid_t pid);
/// One more process of the container, for exec.
base::Result<> enter_rdt_group(const std::string& directory, const std::string& monitor, pid_t pid);
/// Removes what was made for the container.
base::Result<> leave_rdt_group(const std::string& made_directory, const std::string& monitor);

}  // namespace runtime::detail
