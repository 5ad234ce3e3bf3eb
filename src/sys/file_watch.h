#pragma once
/// Tells that a file changed. Source: inotify(7).

#include <string>

#include "base/result.h"
#include "sys/fd.h"

namespace sys {

/// One file's modifications as a descriptor that is readable after one. Close-on-exec, non-blocking.
class FileWatch {
 public:
  static base::Result<FileWatch> open(const std::string& path);
  [[nodiscard]] int fd() const { return fd_.get(); }
  /// Takes the pending notices, so that the descriptor is not readable any more.
  void clear();
  [[nodiscard]] UniqueFd release() && { return std::move(fd_); }

 private:
  explicit FileWatch(UniqueFd fd) : fd_{std::move(fd)} {}
  UniqueFd fd_;
};

}  // namespace sys
