#include "sys/detail/staged_mount.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <sys/statvfs.h>
#include <sys/vfs.h>

#include <fmt/format.h>

#include "base/strings.h"
#include "sys/file.h"

#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif
#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256
#endif
#ifndef ST_NOSYMFOLLOW
#define ST_NOSYMFOLLOW 0x2000
#endif
#ifndef ST_RELATIME
#define ST_RELATIME 4096
#endif

namespace sys::detail {

using base::Error;
using base::Result;

namespace {

/// Of the process, which is a container's init or nobody; set once.
struct Staging {
  UniqueFd directory;
  unsigned next = 0;
};
Staging& stage() {
  static Staging instance;
  return instance;
}

struct Flag {
  std::uint64_t attribute;
  unsigned long mount_flag;
  unsigned long status_flag;  ///< of statfs(2)
};
constexpr std::array<Flag, 6> kFlags{{{MOUNT_ATTR_RDONLY, MS_RDONLY, ST_RDONLY},
                                      {MOUNT_ATTR_NOSUID, MS_NOSUID, ST_NOSUID},
                                      {MOUNT_ATTR_NODEV, MS_NODEV, ST_NODEV},
                                      {MOUNT_ATTR_NOEXEC, MS_NOEXEC, ST_NOEXEC},
                                      {MOUNT_ATTR_NODIRATIME, MS_NODIRATIME, ST_NODIRATIME},
                                      {MOUNT_ATTR_NOSYMFOLLOW, MS_NOSYMFOLLOW, ST_NOSYMFOLLOW}}};

unsigned long atime_flag(std::uint64_t attributes) {
  switch (attributes & MOUNT_ATTR__ATIME) {
    case MOUNT_ATTR_NOATIME: return MS_NOATIME;
    case MOUNT_ATTR_STRICTATIME: return MS_STRICTATIME;
    default: return MS_RELATIME;
  }
}

unsigned long flags_of(std::uint64_t attributes) {
  unsigned long out = atime_flag(attributes);
  for (const auto& flag : kFlags) {
    if ((attributes & flag.attribute) != 0) out |= flag.mount_flag;
  }
  return out;
}

/// What a remount must repeat, since it sets all flags.
Result<std::uint64_t> attributes_of(int mount) {
  struct ::statfs status {};
  if (::fstatfs(mount, &status) < 0) return Error::from_errno(errno, "statfs");
  const auto present = static_cast<unsigned long>(status.f_flags);
  std::uint64_t out = 0;
  for (const auto& flag : kFlags) {
    if ((present & flag.status_flag) != 0) out |= flag.attribute;
  }
  if ((present & ST_NOATIME) != 0) return out | MOUNT_ATTR_NOATIME;
  return (present & ST_RELATIME) != 0 ? out : out | MOUNT_ATTR_STRICTATIME;
}

Result<> remount(int mount, const MountChange& change) {
  if (change.set == 0 && change.clear == 0) return {};
  const std::uint64_t attributes = (TRY(attributes_of(mount)) & ~change.clear) | change.set;
  if (::mount(nullptr, proc_path(mount).c_str(), nullptr, MS_REMOUNT | MS_BIND | flags_of(attributes), nullptr) < 0) {
    return Error::from_errno(errno, "change a mount's attributes");
  }
  return {};
}

Result<std::string> mount_id_of(int fd) {
  const std::string info = TRY(read_file(kCwd, fmt::format("/proc/self/fdinfo/{}", fd)));
  constexpr std::string_view kKey = "mnt_id:";
  for (const auto line : base::split(info, '\n')) {
    if (line.starts_with(kKey)) return std::string{base::trim(line.substr(kKey.size()))};
  }
  return base::internal("no mnt_id in fdinfo");
}

/// mountinfo writes space, tab, newline and backslash as octal numbers.
std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

/// The mounts below the one of `mount`, as paths from it.
Result<std::vector<std::string>> mounts_below(int mount) {
  const std::string top = TRY(mount_id_of(mount));
  const std::string table = TRY(read_file(kCwd, "/proc/self/mountinfo"));
  std::string prefix;
  std::vector<std::string> inside{top};
  std::vector<std::string> out;
  // A mount stands behind its parent in the table, unless it was moved: until nothing is found any more.
  for (bool found = true; found;) {
    found = false;
    for (const auto line : base::split(table, '\n')) {
      const auto fields = base::split_words(line, ' ');
      if (fields.size() < 5) continue;
      const std::string id{fields[0]};
      if (id == top) prefix = unescape(fields[4]);
      const auto known = [&](std::string_view one) { return std::ranges::find(inside, one) != inside.end(); };
      if (known(id) || !known(fields[1])) continue;
      inside.push_back(id);
      out.push_back(unescape(fields[4]));
      found = true;
    }
  }
  for (auto& path : out) {
    path.erase(0, prefix.size());
    path.erase(0, path.find_first_not_of('/'));
  }
  return out;
}

Result<> change_one_by_one(int mount, const MountChange& change, bool recursive) {
  if (change.user_namespace >= 0 || (change.set & MOUNT_ATTR_IDMAP) != 0) {
    return base::not_implemented("this kernel lacks mount_setattr(2): id-mapped mounts need Linux 5.12 or newer");
  }
  TRY(remount(mount, change));
  if (recursive && (change.set != 0 || change.clear != 0)) {
    for (const auto& path : TRY(mounts_below(mount))) {
      const UniqueFd below = TRY(open_beneath_no_symlinks(mount, path, O_PATH));
      TRY(remount(below.get(), change).context("mount " + path));
    }
  }
  if (change.propagation == 0) return {};
  const unsigned long flags = change.propagation | (recursive ? static_cast<unsigned long>(MS_REC) : 0UL);
  if (::mount(nullptr, proc_path(mount).c_str(), nullptr, flags, nullptr) < 0) {
    return Error::from_errno(errno, "change a mount's propagation");
  }
  return {};
}

/// An empty place on the staging tmpfs.
Result<std::string> new_place(bool directory) {
  const std::string name = fmt::format("{}", stage().next++);
  if (directory) {
    TRY(make_dir(stage().directory.get(), name, 0700));
  } else {
    TRY(open_at(stage().directory.get(), name, O_WRONLY | O_CREAT | O_EXCL, 0600));
  }
  return name;
}

std::string path_of(const std::string& place) { return proc_path(stage().directory.get()) + "/" + place; }

Result<UniqueFd> open_place(const std::string& place) { return open_at(stage().directory.get(), place, O_PATH | O_NOFOLLOW); }

}  // namespace

bool staging() { return stage().directory.valid(); }

Result<> start_staging() {
  if (::mount("tmpfs", "/", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=700") < 0) {
    return Error::from_errno(errno, "mount a staging tmpfs");
  }
  // ".." at the root stays there, but goes through what is mounted on it.
  stage().directory = TRY(open_at(kCwd, "/..", O_PATH | O_DIRECTORY));
  if (::mount(nullptr, proc_path(stage().directory.get()).c_str(), nullptr, MS_PRIVATE, nullptr) < 0) {
    return Error::from_errno(errno, "make the staging tmpfs private");
  }
  return {};
}

Result<UniqueFd> stage_file_system(const NewMount& wanted) {
  static constexpr std::array<std::pair<std::string_view, unsigned long>, 6> kWords{
      {{"sync", MS_SYNCHRONOUS}, {"dirsync", MS_DIRSYNC}, {"lazytime", MS_LAZYTIME}, {"mand", MS_MANDLOCK},
       {"async", 0}, {"nolazytime", 0}}};
  unsigned long flags = flags_of(wanted.attributes) | (wanted.read_only_superblock ? static_cast<unsigned long>(MS_RDONLY) : 0UL);
  // A superblock must not become read-only for a mount's sake: that comes afterwards.
  const bool read_only_mount = !wanted.read_only_superblock && (wanted.attributes & MOUNT_ATTR_RDONLY) != 0;
  if (read_only_mount) flags &= ~static_cast<unsigned long>(MS_RDONLY);
  std::string data;
  for (const auto& [key, value, flag] : wanted.parameters) {
    const auto* word = std::ranges::find(kWords, std::string_view{key}, &std::pair<std::string_view, unsigned long>::first);
    if (flag && word != kWords.end()) {
      flags |= word->second;
      continue;
    }
    data += data.empty() ? "" : ",";
    data += flag ? key : key + "=" + value;
  }
  const std::string place = TRY(new_place(true));
  if (::mount(wanted.source.c_str(), path_of(place).c_str(), wanted.type.c_str(), flags, data.c_str()) < 0) {
    const int saved = errno;
    if (saved == ENODEV) return base::not_implemented("this kernel has no file system " + wanted.type);
    return Error::from_errno(saved, fmt::format("mount {} with options {}", wanted.type, base::quoted(data)));
  }
  UniqueFd made = TRY(open_place(place));
  if (read_only_mount) TRY(remount(made.get(), {.set = MOUNT_ATTR_RDONLY}));
  return made;
}

Result<UniqueFd> stage_clone(int dir, const std::string& path, bool recursive) {
  // By descriptor: the kind that is looked at is the one that is mounted.
  UniqueFd opened;
  if (!path.empty()) opened = TRY(open_at(dir, path, O_PATH));
  const int source = path.empty() ? dir : opened.get();
  const bool directory = S_ISDIR(TRY(stat_fd(source)).st_mode);
  const std::string place = TRY(new_place(directory));
  const unsigned long flags = MS_BIND | (recursive ? static_cast<unsigned long>(MS_REC) : 0UL);
  if (::mount(proc_path(source).c_str(), path_of(place).c_str(), nullptr, flags, nullptr) < 0) {
    return Error::from_errno(errno, path.empty() ? "clone a mount" : "clone mount " + path);
  }
  return open_place(place);
}

Result<> change_staged(int mount, const MountChange& change, bool recursive) { return change_one_by_one(mount, change, recursive); }

Result<> change_staged_at(const std::string& path, const MountChange& change, bool recursive) {
  if (change.set != 0 || change.clear != 0) {
    const UniqueFd mount = TRY(open_at(kCwd, path, O_PATH));
    return change_one_by_one(mount.get(), change, recursive);
  }
  // By its path: there may be no /proc any more.
  if (::mount(nullptr, path.c_str(), nullptr, change.propagation | (recursive ? static_cast<unsigned long>(MS_REC) : 0UL), nullptr) < 0) {
    return Error::from_errno(errno, "change a mount's propagation");
  }
  return {};
}

Result<> move_staged(int mount, int target) {
  if (::mount(proc_path(mount).c_str(), proc_path(target).c_str(), nullptr, MS_MOVE, nullptr) < 0) {
    return Error::from_errno(errno, "attach a mount");
  }
  return {};
}

}  // namespace sys::detail
