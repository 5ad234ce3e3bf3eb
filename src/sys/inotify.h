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
///
/// A user has 128 instances by default (fs.inotify.max_user_instances). Past that, one says ten times a second that
/// something may have happened.
class Inotify {
 public:
  static base::Result<Inotify> create();
  [[nodiscard]] bool ticks() const { return ticks_; }
  /// `mask`: IN_MODIFY, IN_CREATE, … Watching what is watched already replaces its mask. Returns the
  /// watch. Errors: NotFound; Unavailable past fs.inotify.max_user_watches (ENOSPC).
  base::Result<int> watch(const std::string& path, std::uint32_t mask);
  void remove(int watch);
  /// Makes fd() unreadable until the next change.
  void drain();
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  Inotify(UniqueFd fd, bool ticks) : fd_{std::move(fd)}, ticks_{ticks} {}
  static base::Result<Inotify> create_ticking();
  UniqueFd fd_;
  bool ticks_;  ///< a timer instead
};

}  // namespace sys
