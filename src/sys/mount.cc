#include "sys/mount.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/strings.h"
#include "sys/detail/retry.h"
#include "sys/detail/staged_mount.h"
#include "sys/file.h"

namespace sys {

using base::Error;
using base::Result;

namespace {

Error mount_error(int saved, std::string_view call, std::string_view what) {
  if (saved == ENOSYS) {
    return base::not_implemented(fmt::format("this kernel lacks {}(2): Linux 5.12 or newer is needed", call));
  }
  return Error::from_errno(saved, what);
}

/// The messages that a file system left on its context: "e tmpfs: Bad value for 'size'".
std::string reason_of(int context) {
  std::string out;
  std::array<char, 512> line{};
  while (true) {
    const auto count = ::read(context, line.data(), line.size());
    if (count <= 2) return out;
    std::string_view text{line.data(), static_cast<std::size_t>(count)};
    text.remove_prefix(2);
    out += out.empty() ? " (" : "; ";
    out += base::trim(text);
  }
}

Error context_error(int context, int saved, const std::string& what) {
  std::string reason = reason_of(context);
  if (!reason.empty()) reason += ')';
  auto error = Error::from_errno(saved, what);
  return {error.kind(), saved, error.message() + reason};
}

}  // namespace

bool has_mount_api() {
  // Each with arguments that it refuses, once.
  static const bool there = [] {
    const auto lacks = [](long result) { return result < 0 && errno == ENOSYS; };
    return !lacks(::syscall(SYS_mount_setattr, -1, "", 0, nullptr, 0)) && !lacks(::syscall(SYS_open_tree, -1, "", ~0U)) &&
           !lacks(::syscall(SYS_move_mount, -1, "", -1, "", ~0U)) && !lacks(::syscall(SYS_fsopen, nullptr, ~0U));
  }();
  return there;
}

Result<> stage_mounts() { return detail::start_staging().context("this kernel lacks the mount calls of Linux 5.12"); }

Result<UniqueFd> make_mount(const NewMount& mount) {
  if (detail::staging()) return detail::stage_file_system(mount);
  const UniqueFd context{::fsopen(mount.type.c_str(), FSOPEN_CLOEXEC)};
  if (!context) {
    const int saved = errno;
    if (saved == ENODEV) return base::not_implemented("this kernel has no file system " + mount.type);
    return mount_error(saved, "fsopen", "open file system " + mount.type);
  }
  const int fd = context.get();
  if (!mount.source.empty() &&
      ::fsconfig(fd, FSCONFIG_SET_STRING, "source", mount.source.c_str(), 0) < 0) {
    return context_error(fd, errno, fmt::format("{}: source {}", mount.type, mount.source));
  }
  for (const auto& [key, value, flag] : mount.parameters) {
    const int result = flag ? ::fsconfig(fd, FSCONFIG_SET_FLAG, key.c_str(), nullptr, 0)
                            : ::fsconfig(fd, FSCONFIG_SET_STRING, key.c_str(), value.c_str(), 0);
    if (result < 0) {
      return context_error(fd, errno, fmt::format("{}: option {}{}{}", mount.type, key, flag ? "" : "=", value));
    }
  }
  if (mount.read_only_superblock && ::fsconfig(fd, FSCONFIG_SET_FLAG, "ro", nullptr, 0) < 0) {
    return context_error(fd, errno, mount.type + ": option ro");
  }
  if (::fsconfig(fd, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0) {
    return context_error(fd, errno, "create file system " + mount.type);
  }
  UniqueFd made{::fsmount(fd, FSMOUNT_CLOEXEC, static_cast<unsigned>(mount.attributes))};
  if (!made) return context_error(fd, errno, "mount file system " + mount.type);
  return made;
}

Result<UniqueFd> clone_mount(int dir, const std::string& path, bool recursive) {
  if (detail::staging()) return detail::stage_clone(dir, path, recursive);
  const unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (recursive ? AT_RECURSIVE : 0U) |
                         (path.empty() ? AT_EMPTY_PATH : 0U);
  UniqueFd tree{::open_tree(dir, path.c_str(), flags)};
  if (!tree) return mount_error(errno, "open_tree", path.empty() ? "clone a mount" : "clone mount " + path);
  return tree;
}

namespace {

Result<> change(int dir, const char* path, unsigned flags, const MountChange& wanted) {
  struct ::mount_attr attributes {};
  attributes.attr_set = wanted.set;
  attributes.attr_clr = wanted.clear;
  attributes.propagation = wanted.propagation;
  if (wanted.user_namespace >= 0) attributes.userns_fd = static_cast<std::uint64_t>(wanted.user_namespace);
  if (::mount_setattr(dir, path, flags, &attributes, sizeof attributes) < 0) {
    return mount_error(errno, "mount_setattr", "change a mount's attributes");
  }
  return {};
}

}  // namespace

Result<> change_mount(int mount, const MountChange& wanted, bool recursive) {
  if (detail::staging()) return detail::change_staged(mount, wanted, recursive);
  return change(mount, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0U), wanted);
}

Result<> change_mount_at(const std::string& path, const MountChange& wanted, bool recursive) {
  if (!has_mount_api()) return detail::change_staged_at(path, wanted, recursive);
  return change(kCwd, path.c_str(), recursive ? AT_RECURSIVE : 0U, wanted);
}

Result<> attach_mount(int mount, int target) {
  if (detail::staging()) return detail::move_staged(mount, target);
  if (::move_mount(mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0) {
    return mount_error(errno, "move_mount", "attach a mount");
  }
  return {};
}

Result<> pivot_to(int new_root) {
  if (::fchdir(new_root) < 0) return Error::from_errno(errno, "enter the new root");
  // The old root is stacked on the new one and then let go, so no directory is needed for it.
  if (::syscall(SYS_pivot_root, ".", ".") < 0) return Error::from_errno(errno, "pivot_root");
  // What stands on top of the old root is what "." leads to: the staging tmpfs comes off first.
  if (detail::staging() && ::umount2(".", MNT_DETACH) < 0) return Error::from_errno(errno, "unmount the staging tmpfs");
  if (::umount2(".", MNT_DETACH) < 0) return Error::from_errno(errno, "unmount the old root");
  if (::chdir("/") < 0) return Error::from_errno(errno, "chdir /");
  return {};
}

namespace {

/// One line of /proc/self/mountinfo; proc_pid_mountinfo(5).
struct MountLine {
  std::uint64_t id = 0;
  std::uint64_t parent = 0;
  std::string place;
  std::string type;
};

/// A blank and its kind are written as three octal digits.
std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 3 >= text.size()) {
      out += text[i];
      continue;
    }
    int value = 0;
    for (const char digit : text.substr(i + 1, 3)) value = value * 8 + (digit - '0');
    out += static_cast<char>(value);
    i += 3;
  }
  return out;
}

Result<std::vector<MountLine>> mount_lines() {
  const std::string table = TRY(read_file(kCwd, "/proc/self/mountinfo"));
  std::vector<MountLine> out;
  for (const auto line : base::split_words(table, '\n')) {
    const auto halves = base::cut(line, " - ");
    if (!halves) continue;
    const auto first = base::split_words(halves->first, ' ');
    const auto second = base::split_words(halves->second, ' ');
    if (first.size() < 5 || second.empty()) continue;
    out.push_back({base::parse_uint(first[0]).value_or(0), base::parse_uint(first[1]).value_or(0), unescape(first[4]),
                   std::string{second[0]}});
  }
  return out;
}

Result<std::uint64_t> mount_id(int fd) {
  struct ::statx status {};
  if (::statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &status) < 0) return Error::from_errno(errno, "statx");
  return status.stx_mnt_id;
}

bool is_at_or_below(const std::vector<MountLine>& lines, std::uint64_t id, std::uint64_t top) {
  // No chain is longer than the table, whatever stands in it.
  for (std::size_t steps = 0; steps <= lines.size(); ++steps) {
    if (id == top) return true;
    const auto line = std::ranges::find(lines, id, &MountLine::id);
    if (line == lines.end() || line->parent == id) return false;
    id = line->parent;
  }
  return false;
}

}  // namespace

Result<> hide_file_systems(std::span<const std::string_view> types, int except) {
  const std::uint64_t top = TRY(mount_id(except));
  const auto lines = TRY(mount_lines());
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
    if (std::ranges::find(types, line->type) == types.end() || is_at_or_below(lines, line->id, top)) continue;
    if (::umount2(line->place.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0) continue;
    // Locked, in a user namespace; then it may still be covered. ENOENT: it went with one above it.
    if (errno == ENOENT || ::mount("tmpfs", line->place.c_str(), "tmpfs", MS_RDONLY, "size=0,nr_inodes=1") == 0) continue;
    return Error::from_errno(errno, "cover " + line->place);
  }
  return {};
}

Result<> move_to_root(int new_root) {
  if (::fchdir(new_root) < 0) return Error::from_errno(errno, "enter the new root");
  // ELOOP: it stands on "/" already.
  if (::mount(".", "/", nullptr, MS_MOVE, nullptr) < 0 && errno != ELOOP) return Error::from_errno(errno, "move the root");
  if (::chroot(".") < 0 || ::chdir("/") < 0) return Error::from_errno(errno, "change root");
  return {};
}

Result<> change_root(int new_root) {
  if (::fchdir(new_root) < 0) return Error::from_errno(errno, "enter the new root");
  if (::chroot(".") < 0 || ::chdir("/") < 0) return Error::from_errno(errno, "change root");
  return {};
}

Result<> unmount(const std::string& path, int flags) {
  if (::umount2(path.c_str(), flags) < 0) return Error::from_errno(errno, "unmount " + path);
  return {};
}

Result<bool> is_mount_point(const std::string& path) {
  struct ::statx status {};
  if (::statx(AT_FDCWD, path.c_str(), AT_NO_AUTOMOUNT | AT_SYMLINK_NOFOLLOW, 0, &status) < 0) {
    return Error::from_errno(errno, "statx " + path);
  }
  return (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

Result<std::uint64_t> file_system_type(int fd) {
  struct ::statfs status {};
  if (detail::retry([&] { return ::fstatfs(fd, &status); }) < 0) return Error::from_errno(errno, "statfs");
  return static_cast<std::uint64_t>(status.f_type);
}

Result<std::uint64_t> file_system_type_at(const std::string& path) {
  struct ::statfs status {};
  if (detail::retry([&] { return ::statfs(path.c_str(), &status); }) < 0) {
    return Error::from_errno(errno, "statfs " + path);
  }
  return static_cast<std::uint64_t>(status.f_type);
}

Result<std::uint64_t> mount_attributes(int fd) {
  struct ::statfs status {};
  if (detail::retry([&] { return ::fstatfs(fd, &status); }) < 0) return Error::from_errno(errno, "statfs");
  // Source: statfs(2), "The f_flags field", by number as only <sys/statvfs.h> has some of their names.
  constexpr std::array<std::pair<std::uint64_t, std::uint64_t>, 7> kFlags{{{0x1, MOUNT_ATTR_RDONLY},
                                                                           {0x2, MOUNT_ATTR_NOSUID},
                                                                           {0x4, MOUNT_ATTR_NODEV},
                                                                           {0x8, MOUNT_ATTR_NOEXEC},
                                                                           {0x400, MOUNT_ATTR_NOATIME},
                                                                           {0x800, MOUNT_ATTR_NODIRATIME},
                                                                           {0x2000, 0x200000 /* MOUNT_ATTR_NOSYMFOLLOW */}}};
  constexpr std::uint64_t kNoAtime = 0x400;
  constexpr std::uint64_t kRelatime = 0x1000;
  const auto flags = static_cast<std::uint64_t>(status.f_flags);
  std::uint64_t out = (flags & (kNoAtime | kRelatime)) == 0 ? MOUNT_ATTR_STRICTATIME : 0U;
  for (const auto& [flag, attribute] : kFlags) {
    if ((flags & flag) != 0) out |= attribute;
  }
  return out;
}

Result<bool> is_read_only(int fd) {
  struct ::statfs status {};
  if (detail::retry([&] { return ::fstatfs(fd, &status); }) < 0) return Error::from_errno(errno, "statfs");
  constexpr decltype(status.f_flags) kReadOnly = 1;  // ST_RDONLY
  return (status.f_flags & kReadOnly) != 0;
}

Result<> require_file_system(int fd, std::uint64_t type, std::string_view what) {
  if (TRY(file_system_type(fd)) == type) return {};
  return base::invalid(fmt::format("{} is not what it should be: another file system is mounted there", what));
}

}  // namespace sys
