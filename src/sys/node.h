#pragma once
/// Single objects of a file system by directory descriptor and name, for code that builds or copies
/// trees. `name` is one component; nothing here follows a symlink that stands under it. `dir` may be
/// an O_PATH descriptor. Messages name the call and the name.
/// Sources: mknodat(2), linkat(2), fchownat(2), fchmodat(2), utimensat(2), xattr(7).

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/stat.h>
#include <sys/types.h>

#include "base/result.h"
#include "sys/fd.h"

namespace sys {

/// A device, fifo or whiteout: `mode` has the type (S_IFCHR, …); permission bits pass the umask.
base::Result<> make_node(int dir, const std::string& name, mode_t mode, std::uint32_t major,
                         std::uint32_t minor);
base::Result<> hard_link(int from_dir, const std::string& from, int to_dir, const std::string& to);

/// Opens for reading only if it is a regular file, looked at before it is opened: a device or fifo
/// that somebody puts there meanwhile is never touched. Errors: InvalidArgument (something else).
base::Result<UniqueFd> open_regular_at(int dir, const std::string& name);

base::Result<> set_owner(int fd, uid_t uid, gid_t gid);
base::Result<> set_owner_at(int dir, const std::string& name, uid_t uid, gid_t gid);
/// Exactly these bits. After set_owner, which drops setuid and setgid.
base::Result<> set_mode(int fd, mode_t mode);
/// Not for symlinks, which have no mode: NotImplemented.
base::Result<> set_mode_at(int dir, const std::string& name, mode_t mode);

/// mtime and atime both. For an O_PATH descriptor use the other one with the name "".
base::Result<> set_times(int fd, const struct ::timespec& time);
base::Result<> set_times_at(int dir, const std::string& name, const struct ::timespec& time);

// Extended attributes -------------------------------------------------------------------------------
// `fd` may be O_PATH: they go through /proc/self/fd. A file system without them has none.

using Xattrs = std::vector<std::pair<std::string, std::string>>;

/// Sorted by name.
base::Result<Xattrs> xattrs_of(int fd);
base::Result<Xattrs> xattrs_at(int dir, const std::string& name);
/// nullopt when it is not set.
base::Result<std::optional<std::string>> xattr_at(int dir, const std::string& name, const std::string& key);
base::Result<std::optional<std::string>> xattr_of(int fd, const std::string& key);
base::Result<> set_xattr(int fd, const std::string& key, std::string_view value);
base::Result<> set_xattr_at(int dir, const std::string& name, const std::string& key, std::string_view value);

}  // namespace sys
