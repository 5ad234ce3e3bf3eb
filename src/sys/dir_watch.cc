#include "sys/dir_watch.h"

#include <array>
#include <cerrno>

#include <sys/inotify.h>
#include <unistd.h>

namespace sys {

base::Result<DirWatch> DirWatch::open(const std::string& directory) {
  UniqueFd fd{::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
  if (!fd) return base::Error::from_errno(errno, "inotify_init");
  const std::uint32_t events = IN_CREATE | IN_MOVED_TO | IN_ATTRIB | IN_ONLYDIR;
  if (::inotify_add_watch(fd.get(), directory.c_str(), events) < 0) {
    return base::Error::from_errno(errno, "watch " + directory);
  }
  return DirWatch{std::move(fd)};
}

void DirWatch::clear() {
  std::array<char, 4096> notices;
  while (::read(fd_.get(), notices.data(), notices.size()) > 0) {
  }
}

}  // namespace sys
