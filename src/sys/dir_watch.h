#pragma once
/// Tells that entries of a directory come or change. Source: inotify(7).

#include <string>

#include "base/result.h"
#include "sys/fd.h"

namespace sys {

/// Creations, renames into and attribute changes (chmod) of a directory's entries, as a descriptor that
/// is readable after one. Close-on-exec, non-blocking.
class DirWatch {
 public:
  /// Errors: NotFound.
  static base::Result<DirWatch> open(const std::string& directory);
  [[nodiscard]] int fd() const { return fd_.get(); }
  /// Takes the pending notices, so that the descriptor is not readable any more.
  void clear();

 private:
  explicit DirWatch(UniqueFd fd) : fd_{std::move(fd)} {}
  UniqueFd fd_;
};

}  // namespace sys
