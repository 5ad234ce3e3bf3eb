#pragma once
/// Who the calling process is. Sources: credentials(7), setfsuid(2), setgroups(2).

#include <cstdint>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/result.h"

namespace sys {

/// File-system ids alone: permission checks are made as that user. Leaving 0 drops the capabilities
/// that pass over them, returning brings them back.
void set_file_system_ids(uid_t uid, gid_t gid);
base::Result<> set_groups(const std::vector<gid_t>& groups);
base::Result<std::vector<gid_t>> current_groups();
/// All of real, effective, saved. Group first, since leaving root forbids it.
base::Result<> set_ids(uid_t uid, gid_t gid);

/// faccessat2(AT_EACCESS): may the process, as it is now, execute it?
base::Result<> check_executable(const std::string& path);
base::Result<> change_directory(const std::string& path);
base::Result<> change_directory(int directory);
/// getcwd(2) as the kernel tells it: "(unreachable)/x" outside the process's root.
base::Result<std::string> working_directory();
mode_t set_umask(mode_t mask);

}  // namespace sys
