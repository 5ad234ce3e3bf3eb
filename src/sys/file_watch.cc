#include "sys/file_watch.h"

#include <array>
#include <cerrno>

#include <sys/inotify.h>
#include <unistd.h>

namespace sys {

base::Result<FileWatch> FileWatch::open(const std::string& path) {
  UniqueFd fd{::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
  if (!fd) return base::Error::from_errno(errno, "inotify_init1");
  if (::inotify_add_watch(fd.get(), path.c_str(), IN_MODIFY) < 0) {
    return base::Error::from_errno(errno, "watch " + path);
  }
  return FileWatch{std::move(fd)};
}

void FileWatch::clear() {
  alignas(::inotify_event) std::array<char, 4096> buffer{};
  while (::read(fd_.get(), buffer.data(), buffer.size()) > 0) {
  }
}

}  // namespace sys
