#pragma once
/// From a container's record to what its shim needs: the OCI configuration and the options.

#include <string>

#include "base/result.h"
#include "engine/containers/core.h"
#include "shim/client.h"
#include "sys/fd.h"

namespace engine {

/// Errors: InvalidArgument (a user that is not there, a missing bind source, …), Conflict (a
/// container to share namespaces with does not run).
base::Result<shim::Launch> prepare_launch(Core& core, const Record& record);

/// The same for one exec.
base::Result<spec::oci::Process> prepare_exec(Core& core, const Record& record, const spec::api::ExecConfig& exec);

/// The container that owns the network files and name of this one: itself, or another's whose network
/// it shares. Errors: NotFound, Conflict.
base::Result<std::shared_ptr<const Record>> network_owner(Core& core, const Record& record);

/// Where a container's driver, options and file for its log are decided (log_config.cc).
[[nodiscard]] logs::Config log_config(const Core& core, const Record& record);
/// Driver, options, the tag's template and patterns. Errors: InvalidArgument.
base::Result<> check_log_config(const Core& core, const Record& record);

/// The file system of a container that does not run, read-only and mounted nowhere: a descriptor of its
/// root. Errors: Internal.
base::Result<sys::UniqueFd> merged_view(const snapshot::Mounts& mounts);

/// The texts of /etc/passwd and /etc/group of a container's file system, "" where there are none.
/// Nothing of the container's own making is followed out of it. Errors: Internal.
struct UserFiles {
  std::string passwd, group;
};
base::Result<UserFiles> read_user_files(const snapshot::Mounts& mounts);
/// The same below an opened root.
base::Result<UserFiles> read_user_files(int root);

}  // namespace engine
