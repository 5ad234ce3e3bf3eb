#include "sys/file.h"

#include <cerrno>
#include <memory>

#include <dirent.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/id.h"
#include "base/scope_guard.h"
#include "base/strings.h"
#include "sys/detail/open_walk.h"
#include "sys/detail/retry.h"

namespace sys {

using base::Error;
using base::Result;
using detail::retry;

namespace {

Result<UniqueFd> openat2_with(int root, const std::string& path, int flags, mode_t mode, std::uint64_t resolve,
                              std::string_view name, detail::Walk by_hand) {
  struct ::open_how how {};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  if ((flags & (O_CREAT | O_TMPFILE)) != 0) how.mode = mode;
  how.resolve = resolve;
  // EAGAIN: a rename or mount raced with ".." resolution; openat2(2) says to try again.
  for (int attempt = 0;; ++attempt) {
    const auto fd = retry([&] { return ::syscall(SYS_openat2, root, path.c_str(), &how, sizeof how); });
    if (fd >= 0) return UniqueFd{static_cast<int>(fd)};
    const int saved = errno;
    if (saved == EAGAIN && attempt < 128) continue;
    if (saved == ENOSYS) return detail::open_walk(root, path, flags, mode, by_hand);
    return Error::from_errno(saved, fmt::format("{} {}", name, path));
  }
}

}  // namespace

Result<UniqueFd> open_at(int dir, const std::string& path, int flags, mode_t mode) {
  const int fd = retry([&] { return ::openat(dir, path.c_str(), flags | O_CLOEXEC, mode); });
  if (fd < 0) return Error::from_errno(errno, "open " + path);
  return UniqueFd{fd};
}

Result<UniqueFd> open_dir(int dir, const std::string& path) {
  return open_at(dir, path, O_RDONLY | O_DIRECTORY);
}

Result<UniqueFd> open_in_root(int root, const std::string& path, int flags, mode_t mode) {
  return openat2_with(root, path, flags, mode, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS, "open in root",
                      detail::Walk::InRoot);
}

Result<UniqueFd> open_beneath_no_symlinks(int root, const std::string& path, int flags, mode_t mode) {
  return openat2_with(root, path, flags, mode,
                      RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS, "open beneath",
                      detail::Walk::BeneathNoSymlinks);
}

Result<UniqueFd> make_dirs_in_root(int root, const std::string& path, mode_t mode) {
  UniqueFd here = TRY(open_in_root(root, "/", O_PATH | O_DIRECTORY));
  std::string walked;
  for (const auto part : base::split_words(path, '/')) {
    if (part == ".") continue;
    walked.append("/").append(part);
    auto next = open_in_root(root, walked, O_PATH | O_DIRECTORY);
    if (!next && next.error().errno_value() == ENOENT && part != "..") {
      const std::string name{part};
      if (::mkdirat(here.get(), name.c_str(), mode) < 0 && errno != EEXIST) {
        return Error::from_errno(errno, "mkdir " + walked);
      }
      UniqueFd made = TRY(open_beneath_no_symlinks(here.get(), name, O_RDONLY | O_DIRECTORY));
      // In a directory whose group is passed on, so it goes on from here.
      struct ::stat parent {};
      if (::fstat(here.get(), &parent) < 0) return Error::from_errno(errno, "stat " + walked);
      if (::fchmod(made.get(), mode | (parent.st_mode & S_ISGID)) < 0) return Error::from_errno(errno, "chmod " + walked);
      next = std::move(made);
    }
    here = TRY(std::move(next));
  }
  return here;
}

Result<std::string> resolve_missing_in_root(int root, const std::string& path) {
  constexpr int kMaxLinks = 40;
  std::vector<std::string> todo;  // components, the next one last
  const auto push = [&todo](std::string_view text) {
    auto parts = base::split_words(text, '/');
    for (auto part = parts.rbegin(); part != parts.rend(); ++part) todo.emplace_back(*part);
  };
  push(path);
  std::vector<std::string> done;
  const auto joined = [&done] {
    std::string out;
    for (const auto& part : done) out.append("/").append(part);
    return out;
  };
  for (int links = 0; !todo.empty();) {
    const std::string part = std::move(todo.back());
    todo.pop_back();
    if (part == ".") continue;
    if (part == "..") {
      if (!done.empty()) done.pop_back();
      continue;
    }
    done.push_back(part);
    const auto here = open_in_root(root, joined(), O_PATH | O_NOFOLLOW);
    if (!here) continue;  // missing, and so is everything below it
    const struct ::stat status = TRY(stat_fd(here->get()));
    if (!S_ISLNK(status.st_mode)) continue;
    if (++links > kMaxLinks) return Error::from_errno(ELOOP, "resolve " + path);
    const std::string target = TRY(read_link(here->get(), ""));
    done.pop_back();
    if (target.starts_with('/')) done.clear();
    push(target);
  }
  return done.empty() ? std::string{"/"} : joined();
}

Result<std::string> read_file(int dir, const std::string& path, std::size_t limit) {
  const UniqueFd fd = TRY(open_at(dir, path, O_RDONLY));
  return read_to_end(fd.get(), limit).context(path);
}

Result<> write_file(int dir, const std::string& path, std::string_view contents) {
  const UniqueFd fd = TRY(open_at(dir, path, O_WRONLY));
  const auto count = retry([&] { return ::write(fd.get(), contents.data(), contents.size()); });
  if (count < 0) {
    return Error::from_errno(errno, fmt::format("write {} to {}", base::quoted(contents.substr(0, 80)), path));
  }
  return {};
}

Result<> write_file_atomic(int dir, const std::string& path, std::string_view contents, mode_t mode,
                           Durability durability) {
  const std::string temporary = path + ".tmp-" + base::random_hex(8);
  base::ScopeGuard undo{[&] { ::unlinkat(dir, temporary.c_str(), 0); }};
  {
    const UniqueFd fd = TRY(open_at(dir, temporary, O_WRONLY | O_CREAT | O_EXCL, mode));
    if (::fchmod(fd.get(), mode) < 0) return Error::from_errno(errno, "chmod " + temporary);
    TRY(write_all(fd.get(), contents).context(temporary));
    if (durability == Durability::PowerLoss) TRY(sync_fd(fd.get()).context(temporary));
  }
  TRY(rename_at(dir, temporary, dir, path));
  undo.release();
  if (durability == Durability::PowerLoss) {
    const auto slash = path.rfind('/');
    const std::string parent = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
    const UniqueFd folder = TRY(open_dir(dir, parent));
    TRY(sync_fd(folder.get()).context(parent));
  }
  return {};
}

Result<bool> exists(int dir, const std::string& path) {
  struct ::stat status {};
  if (::fstatat(dir, path.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) return true;
  if (errno == ENOENT) return false;
  return Error::from_errno(errno, "stat " + path);
}

Result<struct ::stat> stat_at(int dir, const std::string& path) {
  struct ::stat status {};
  if (::fstatat(dir, path.c_str(), &status, AT_SYMLINK_NOFOLLOW) < 0) {
    return Error::from_errno(errno, "stat " + path);
  }
  return status;
}

Result<> make_dir(int dir, const std::string& path, mode_t mode) {
  if (::mkdirat(dir, path.c_str(), mode) < 0) return Error::from_errno(errno, "mkdir " + path);
  return {};
}

Result<> make_dirs(int dir, const std::string& path, mode_t mode) {
  if (::mkdirat(dir, path.c_str(), mode) == 0 || errno == EEXIST) return {};
  if (errno != ENOENT) return Error::from_errno(errno, "mkdir " + path);
  const auto slash = path.find_last_of('/');
  if (slash == std::string::npos || slash == 0) return Error::from_errno(ENOENT, "mkdir " + path);
  TRY(make_dirs(dir, path.substr(0, slash), mode));
  if (::mkdirat(dir, path.c_str(), mode) < 0 && errno != EEXIST) {
    return Error::from_errno(errno, "mkdir " + path);
  }
  return {};
}

Result<> rename_at(int from_dir, const std::string& from, int to_dir, const std::string& to) {
  if (::renameat(from_dir, from.c_str(), to_dir, to.c_str()) < 0) {
    return Error::from_errno(errno, fmt::format("rename {} to {}", from, to));
  }
  return {};
}

Result<> symlink_at(const std::string& target, int dir, const std::string& path) {
  if (::symlinkat(target.c_str(), dir, path.c_str()) < 0) return Error::from_errno(errno, "symlink " + path);
  return {};
}

Result<std::string> read_link(int dir, const std::string& path) {
  std::string out(256, '\0');
  while (true) {
    const auto count = ::readlinkat(dir, path.c_str(), out.data(), out.size());
    if (count < 0) return Error::from_errno(errno, "readlink " + path);
    if (static_cast<std::size_t>(count) < out.size()) {
      out.resize(static_cast<std::size_t>(count));
      return out;
    }
    out.resize(out.size() * 2);
  }
}

Result<> unlink_at(int dir, const std::string& path, bool directory) {
  if (::unlinkat(dir, path.c_str(), directory ? AT_REMOVEDIR : 0) < 0) {
    return Error::from_errno(errno, "remove " + path);
  }
  return {};
}

Result<> remove_tree(int dir, const std::string& path) {
  if (::unlinkat(dir, path.c_str(), 0) == 0 || errno == ENOENT) return {};
  if (errno != EISDIR && errno != EPERM) return Error::from_errno(errno, "remove " + path);
  auto folder = open_at(dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (folder.failed_as(base::ErrorKind::NotFound)) return {};
  const UniqueFd opened = TRY(std::move(folder));
  for (const auto& entry : TRY(list_dir(opened.get()))) {
    if (entry.type != DT_DIR && ::unlinkat(opened.get(), entry.name.c_str(), 0) == 0) continue;
    TRY(remove_tree(opened.get(), entry.name));
  }
  if (::unlinkat(dir, path.c_str(), AT_REMOVEDIR) < 0 && errno != ENOENT) {
    return Error::from_errno(errno, "remove " + path);
  }
  return {};
}

Result<std::vector<DirEntry>> list_dir(int dir, const std::string& path) {
  UniqueFd fd = TRY(open_dir(dir, path));
  const std::unique_ptr<DIR, int (*)(DIR*)> stream{::fdopendir(fd.get()), ::closedir};
  if (!stream) return Error::from_errno(errno, "list " + path);
  // The stream owns the descriptor from here on.
  [[maybe_unused]] const int owned = fd.release();
  std::vector<DirEntry> entries;
  while (true) {
    errno = 0;
    const auto* entry = ::readdir(stream.get());
    if (entry == nullptr) {
      if (errno != 0) return Error::from_errno(errno, "list " + path);
      return entries;
    }
    const std::string_view name{static_cast<const char*>(entry->d_name)};
    if (name != "." && name != "..") entries.push_back({std::string{name}, entry->d_type});
  }
}

Result<std::string> self_exe() { return read_link(kCwd, "/proc/self/exe"); }

}  // namespace sys
