#pragma once
/// Files and directories by directory descriptor and path.
///
/// Two families, and which one to use is a security decision:
///  * `open_at`, `read_file`, …: for paths of the engine itself (its data root, /etc, /proc).
///  * `open_in_root`, …: for every path that an image or a container can influence. Nothing it
///    resolves leaves `root`: openat2(2) with RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS, before Linux
///    5.6 a walk that keeps the same promise (detail/open_walk.h).
///
/// `dir` is a directory descriptor or AT_FDCWD; a path may be relative to it. Messages name call and
/// path. All functions are safe from several threads.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sys/fd.h"

namespace sys {

inline constexpr int kCwd = AT_FDCWD;

base::Result<UniqueFd> open_at(int dir, const std::string& path, int flags, mode_t mode = 0);
base::Result<UniqueFd> open_dir(int dir, const std::string& path);

/// Resolves `path` as if `root` were "/" (chroot-like, symlinks included).
/// Errors: NotFound, InvalidArgument (a loop), PermissionDenied.
base::Result<UniqueFd> open_in_root(int root, const std::string& path, int flags, mode_t mode = 0);
/// As open_in_root but refuses every symlink on the way: for a path that was already resolved.
base::Result<UniqueFd> open_beneath_no_symlinks(int root, const std::string& path, int flags,
                                                mode_t mode = 0);
/// mkdir -p inside `root`, following symlinks inside it; the directory, opened O_PATH. New ones get
/// `mode` exactly (the umask does not count) and belong to the caller.
base::Result<UniqueFd> make_dirs_in_root(int root, const std::string& path, mode_t mode = 0755);

/// Where `path` leads inside `root` when parts of it are missing: symlinks that are there are followed,
/// the rest is taken as it is. "/etc/resolv.conf" → "/run/x/resolv.conf". For creating what is missing;
/// opening the result still needs open_in_root. Errors: InvalidArgument (a loop).
base::Result<std::string> resolve_missing_in_root(int root, const std::string& path);

/// Whole contents. Errors: InvalidArgument past `limit`.
base::Result<std::string> read_file(int dir, const std::string& path,
                                    std::size_t limit = std::size_t{64} << 20U);
/// Overwrites in place, for /proc and /sys: one write(2).
base::Result<> write_file(int dir, const std::string& path, std::string_view contents);

enum class Durability : std::uint8_t {
  ProcessDeath,  ///< survives a killed process
  PowerLoss,     ///< fsync of file and directory
};
/// Replaces `path` as a whole: temporary file beside it, rename. A reader sees old or new.
base::Result<> write_file_atomic(int dir, const std::string& path, std::string_view contents,
                                 mode_t mode = 0644, Durability durability = Durability::ProcessDeath);

/// False for ENOENT only.
base::Result<bool> exists(int dir, const std::string& path);
/// Does not follow a last symlink.
base::Result<struct ::stat> stat_at(int dir, const std::string& path);
base::Result<> make_dir(int dir, const std::string& path, mode_t mode);
/// mkdir -p for the engine's own paths.
base::Result<> make_dirs(int dir, const std::string& path, mode_t mode);
base::Result<> rename_at(int from_dir, const std::string& from, int to_dir, const std::string& to);
base::Result<> symlink_at(const std::string& target, int dir, const std::string& path);
base::Result<std::string> read_link(int dir, const std::string& path);
/// A file, or an empty directory with `directory`. NotFound if it is not there.
base::Result<> unlink_at(int dir, const std::string& path, bool directory = false);
/// A tree, without crossing mounts or following symlinks. Nothing there is success.
base::Result<> remove_tree(int dir, const std::string& path);

struct DirEntry {
  std::string name;
  std::uint8_t type;  ///< DT_REG, DT_DIR, …; DT_UNKNOWN where the file system does not say
};
/// Without "." and "..", in the file system's order.
base::Result<std::vector<DirEntry>> list_dir(int dir, const std::string& path = ".");

/// Where this program's own binary stands.
base::Result<std::string> self_exe();

}  // namespace sys
