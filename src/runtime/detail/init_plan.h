#pragma once
/// Everything that the parent found out before it clones init, checked and opened.

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/container.h"
#include "runtime/detail/rootfs.h"
#include "spec/runtime_config.h"
#include "sys/fd.h"
#include "sys/namespace.h"

namespace runtime::detail {

struct JoinedNamespace {
  int type = 0;  ///< CLONE_NEW…
  sys::UniqueFd fd;
};

struct InitPlan {
  const spec::oci::Spec* spec = nullptr;
  const spec::oci::Linux* section = nullptr;
  const spec::oci::Process* process = nullptr;
  std::string id;
  std::string bundle;

  int new_namespaces = 0;  ///< CLONE_NEW…, all of them
  std::vector<JoinedNamespace> joined;  ///< without PID and user
  sys::UniqueFd joined_pid;
  sys::UniqueFd joined_user;

  RootfsPlan rootfs;
  Stdio stdio;
  sys::UniqueFd fifo;  ///< exec.fifo for reading and writing; invalid when init is not to wait
  int preserve_fds = 0;
  bool no_pivot = false;
  bool plain_newlines = false;
  bool enters_pid_late = false;  ///< only what the last steps fork is in the joined PID namespace, see shared_pid.h
  bool unprivileged = false;  ///< the caller is not root
  bool tell_namespaces = false;  ///< somebody waits for the Namespaces message
  std::string keyring;  ///< empty: none
  codec::Json state_document;  ///< the OCI state for hooks that init runs; it fills in pid and status

  [[nodiscard]] bool makes(int type) const { return (new_namespaces & type) != 0; }
  /// New or given by path: not the runtime's own.
  [[nodiscard]] bool has_private(int type) const;
  /// Init can't write its own: in a user namespace the file is not its own, as it hides from tracing.
  [[nodiscard]] bool parent_writes_offsets() const;
  [[nodiscard]] bool in_user_namespace() const;
  /// Hooks that init runs between the start and the program.
  [[nodiscard]] bool has_start_hooks() const { return spec->hooks && !spec->hooks->start_container.empty(); }
  /// Init itself must be in a joined PID namespace: with a user namespace it could not enter it later, and what waits
  /// for the start is what the hooks are run by.
  [[nodiscard]] bool may_enter_pid_late() const { return joined_pid.valid() && !in_user_namespace() && !has_start_hooks(); }
  /// The parent has something to do once the mounts are there: hooks, interfaces to move, or an
  /// interface that a sysctl needs. See Topic::Hooks.
  [[nodiscard]] bool waits_for_parent() const;
};

/// Checks what can be checked of the configuration and opens namespace files. Errors: InvalidArgument.
base::Result<InitPlan> plan_init(const spec::oci::Spec& spec, const CreateOptions& options);

/// /proc/sys path of a sysctl, refused unless it belongs to a namespace that is the container's own.
base::Result<std::string> sysctl_path(const std::string& key, const InitPlan& plan);

/// For /proc/<pid>/timens_offsets; empty when there are none.
[[nodiscard]] std::string time_offsets_text(const spec::oci::Linux& section);

}  // namespace runtime::detail
