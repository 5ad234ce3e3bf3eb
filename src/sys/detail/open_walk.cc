#include "sys/detail/open_walk.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <vector>

#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/strings.h"
#include "sys/detail/retry.h"
#include "sys/file.h"

namespace sys::detail {

using base::Error;
using base::Result;

namespace {

constexpr int kMaxLinks = 40;  // as the kernel has it

/// Symlinks of procfs whose text is the whole truth.
bool is_plain_proc_link(std::string_view name) {
  static constexpr std::array<std::string_view, 4> kPlain{"self", "thread-self", "mounts", "net"};
  return std::ranges::find(kPlain, name) != kPlain.end();
}

class Walker {
 public:
  Walker(std::string path, int flags, mode_t mode, Walk how) : path_{std::move(path)}, flags_{flags}, mode_{mode}, how_{how} {}

  Result<UniqueFd> run(int root) {
    const int top = retry([&] { return ::openat(root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC); });
    if (top < 0) return failure(errno);
    way_.emplace_back(top);
    if (how_ == Walk::BeneathNoSymlinks && path_.starts_with('/')) return failure(EXDEV);
    if (path_.empty()) return failure(ENOENT);
    push(path_);
    while (!rest_.empty()) {
      const std::string name = std::move(rest_.front());
      rest_.pop_front();
      if (name == ".") continue;
      if (name == "..") {
        if (way_.size() > 1) {
          way_.pop_back();
        } else if (how_ == Walk::BeneathNoSymlinks) {
          return failure(EXDEV);
        }
        continue;
      }
      if (rest_.empty()) {
        auto last = finish(name);
        if (!last || *last) return last;
        continue;  // a symlink has brought more to walk
      }
      TRY(step(name));
    }
    // The path ended with "." or ".." or was "/": a directory that is open already.
    if ((flags_ & O_PATH) != 0) return duplicate(way_.back().get());
    return opened(::openat(way_.back().get(), ".", (flags_ & ~(O_CREAT | O_EXCL)) | O_CLOEXEC, mode_));
  }

 private:
  [[nodiscard]] Error failure(int saved) const {
    return Error::from_errno(saved, (how_ == Walk::InRoot ? "open in root " : "open beneath ") + path_);
  }
  Result<UniqueFd> opened(int fd) const {
    if (fd < 0) return failure(errno);
    return UniqueFd{fd};
  }

  /// In front of what is left. A trailing slash means a directory.
  void push(const std::string& path) {
    std::vector<std::string> parts;
    for (const auto part : base::split_words(path, '/')) parts.emplace_back(part);
    if (path.ends_with('/') && rest_.empty()) parts.emplace_back(".");
    rest_.insert(rest_.begin(), parts.begin(), parts.end());
  }

  /// One component on the way: a directory, or a symlink to walk.
  Result<> step(const std::string& name) {
    UniqueFd next{retry([&] { return ::openat(way_.back().get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC); })};
    if (!next) return failure(errno);
    const struct ::stat status = TRY(stat_fd(next.get()));
    if (S_ISLNK(status.st_mode)) return follow(next.get(), name);
    if (!S_ISDIR(status.st_mode)) return failure(ENOTDIR);
    way_.push_back(std::move(next));
    return {};
  }

  Result<> follow(int link, const std::string& name) {
    if (how_ == Walk::BeneathNoSymlinks || ++links_ > kMaxLinks) return failure(ELOOP);
    struct ::statfs system {};
    if (::fstatfs(link, &system) < 0) return failure(errno);
    if (system.f_type == PROC_SUPER_MAGIC && !is_plain_proc_link(name)) return failure(ELOOP);
    const std::string target = TRY(read_link(link, ""));
    if (target.starts_with('/')) way_.resize(1);
    push(target);
    return {};
  }

  /// The last component, as the caller wants it; an invalid descriptor when it was a symlink to follow.
  Result<UniqueFd> finish(const std::string& name) {
    UniqueFd found{retry([&] { return ::openat(way_.back().get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC); })};
    if (!found && (errno != ENOENT || (flags_ & O_CREAT) == 0)) return failure(errno);
    if (found) {
      const struct ::stat status = TRY(stat_fd(found.get()));
      const bool exclusive = (flags_ & O_CREAT) != 0 && (flags_ & O_EXCL) != 0;
      if (S_ISLNK(status.st_mode) && (flags_ & O_NOFOLLOW) == 0 && !exclusive) {
        TRY(follow(found.get(), name));
        return UniqueFd{};
      }
      if ((flags_ & O_PATH) != 0) {
        if ((flags_ & O_DIRECTORY) != 0 && !S_ISDIR(status.st_mode)) return failure(ENOTDIR);
        return found;
      }
    }
    // Opened for real by its name; if it has become a symlink meanwhile this fails.
    return opened(static_cast<int>(retry([&] {
      return ::openat(way_.back().get(), name.c_str(), flags_ | O_NOFOLLOW | O_CLOEXEC, mode_);
    })));
  }

  std::string path_;
  int flags_;
  mode_t mode_;
  Walk how_;
  std::vector<UniqueFd> way_;  ///< from the root to where the walk stands
  std::deque<std::string> rest_;
  int links_ = 0;
};

}  // namespace

Result<UniqueFd> open_walk(int root, const std::string& path, int flags, mode_t mode, Walk how) {
  return Walker{path, flags, mode, how}.run(root);
}

}  // namespace sys::detail
