#include "sys/node.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <fmt/format.h>

#include "sys/file.h"

namespace sys {

using base::Error;
using base::Result;

namespace {

/// A path for the calls that know no descriptors; with the l-variants it stops at `name` itself.
std::string path_at(int dir, const std::string& name) {
  return fmt::format("/proc/self/fd/{}/{}", dir, name);
}

Error failed(int saved, std::string_view call, std::string_view name) {
  return Error::from_errno(saved, fmt::format("{} {}", call, name));
}

bool has_no_xattrs(int saved) { return saved == ENOTSUP || saved == ENOSYS; }

using GetCall = ssize_t (*)(const char*, const char*, void*, std::size_t);
using ListCall = ssize_t (*)(const char*, char*, std::size_t);

Result<std::optional<std::string>> get(const std::string& path, const std::string& key, GetCall call) {
  std::string value(256, '\0');
  while (true) {
    const auto size = call(path.c_str(), key.c_str(), value.data(), value.size());
    if (size >= 0) {
      value.resize(static_cast<std::size_t>(size));
      return value;
    }
    const int saved = errno;
    if (saved == ENODATA || has_no_xattrs(saved)) return std::nullopt;
    if (saved != ERANGE || value.size() > XATTR_SIZE_MAX) return failed(saved, "getxattr", key);
    value.resize(value.size() * 4);
  }
}

Result<Xattrs> get_all(const std::string& path, ListCall list, GetCall call) {
  std::array<char, 1024> small{};
  std::string large;
  std::string_view names;
  auto size = list(path.c_str(), small.data(), small.size());
  if (size >= 0) {
    names = {small.data(), static_cast<std::size_t>(size)};
  } else if (errno == ERANGE) {
    large.resize(XATTR_LIST_MAX);
    size = list(path.c_str(), large.data(), large.size());
    names = {large.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
  }
  if (size < 0) {
    const int saved = errno;
    if (has_no_xattrs(saved)) return Xattrs{};
    return failed(saved, "listxattr", path);
  }
  Xattrs out;
  while (!names.empty()) {
    const std::string key{names.substr(0, names.find('\0'))};
    names.remove_prefix(std::min(names.size(), key.size() + 1));
    auto value = TRY(get(path, key, call));
    if (value) out.emplace_back(key, std::move(*value));
  }
  std::ranges::sort(out);
  return out;
}

}  // namespace

Result<> make_node(int dir, const std::string& name, mode_t mode, std::uint32_t major, std::uint32_t minor) {
  if (::mknodat(dir, name.c_str(), mode, ::makedev(major, minor)) < 0) return failed(errno, "mknod", name);
  return {};
}

Result<> hard_link(int from_dir, const std::string& from, int to_dir, const std::string& to) {
  if (::linkat(from_dir, from.c_str(), to_dir, to.c_str(), 0) < 0) {
    return failed(errno, "link", fmt::format("{} to {}", from, to));
  }
  return {};
}

Result<UniqueFd> open_regular_at(int dir, const std::string& name) {
  const UniqueFd place = TRY(open_at(dir, name, O_PATH | O_NOFOLLOW));
  const struct ::stat status = TRY(stat_fd(place.get()));
  if (!S_ISREG(status.st_mode)) return base::invalid(fmt::format("open {}: not a regular file", name));
  return open_at(AT_FDCWD, proc_path(place.get()), O_RDONLY);
}

Result<> set_owner(int fd, uid_t uid, gid_t gid) {
  if (::fchown(fd, uid, gid) < 0) return failed(errno, "chown", fmt::format("to {}:{}", uid, gid));
  return {};
}

Result<> set_owner_at(int dir, const std::string& name, uid_t uid, gid_t gid) {
  if (::fchownat(dir, name.c_str(), uid, gid, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) < 0) {
    return failed(errno, "chown", name);
  }
  return {};
}

Result<> set_mode(int fd, mode_t mode) {
  if (::fchmod(fd, mode) < 0) return failed(errno, "chmod", fmt::format("to {:o}", mode));
  return {};
}

Result<> set_mode_at(int dir, const std::string& name, mode_t mode) {
  if (::fchmodat(dir, name.c_str(), mode, AT_SYMLINK_NOFOLLOW) < 0) {
    const int saved = errno;
    if (saved == EOPNOTSUPP) return base::not_implemented(fmt::format("chmod {}: it is a symlink", name));
    return failed(saved, "chmod", name);
  }
  return {};
}

Result<> set_times(int fd, const struct ::timespec& time) {
  const std::array both{time, time};
  if (::futimens(fd, both.data()) < 0) return failed(errno, "utimens", "");
  return {};
}

Result<> set_times_at(int dir, const std::string& name, const struct ::timespec& time) {
  const std::array both{time, time};
  if (::utimensat(dir, name.c_str(), both.data(), AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) < 0) {
    return failed(errno, "utimens", name);
  }
  return {};
}

Result<Xattrs> xattrs_of(int fd) { return get_all(proc_path(fd), ::listxattr, ::getxattr); }

Result<Xattrs> xattrs_at(int dir, const std::string& name) {
  return get_all(path_at(dir, name), ::llistxattr, ::lgetxattr);
}

Result<std::optional<std::string>> xattr_of(int fd, const std::string& key) {
  return get(proc_path(fd), key, ::getxattr);
}

Result<std::optional<std::string>> xattr_at(int dir, const std::string& name, const std::string& key) {
  return get(path_at(dir, name), key, ::lgetxattr);
}

Result<> set_xattr(int fd, const std::string& key, std::string_view value) {
  if (::setxattr(proc_path(fd).c_str(), key.c_str(), value.data(), value.size(), 0) < 0) {
    return failed(errno, "setxattr", key);
  }
  return {};
}

Result<> set_xattr_at(int dir, const std::string& name, const std::string& key, std::string_view value) {
  if (::lsetxattr(path_at(dir, name).c_str(), key.c_str(), value.data(), value.size(), 0) < 0) {
    return failed(errno, "setxattr", key);
  }
  return {};
}

}  // namespace sys
