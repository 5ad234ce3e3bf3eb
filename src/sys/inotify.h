#pragma once
/// Waiting for changes of files and directories. Source: inotify(7).

#include <cstdint>
#include <string>

#include <sys/inotify.h>

#include "base/result.h"
#include "sys/fd.h"

namespace sys {

/// Non-blocking: fd() is readable when something happened. Callers look at the files themselves, so
/// what exactly happened is not told, and a queue that overflowed is only one more "something".
class Inotify {
 public:
  static base::Result<Inotify> create();
  /// `mask`: IN_MODIFY, IN_CREATE, … Watching what is watched already replaces its mask. Returns the
  /// watch. Errors: NotFound; Unavailable past fs.inotify.max_user_watches (ENOSPC).
  base::Result<int> watch(const std::string& path, std::uint32_t mask);
  void remove(int watch);
  /// Makes fd() unreadable until the next change.
  void drain();
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  explicit Inotify(UniqueFd fd) : fd_{std::move(fd)} {}
  UniqueFd fd_;
};

}  // namespace sys
