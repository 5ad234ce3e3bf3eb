#include "sys/crash_point.h"

#ifdef CAISSON_FAULTS
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <map>
#include <string>

#include <unistd.h>

#include "base/strings.h"

namespace sys {
namespace {

int errno_of(std::string_view name) {
  static const std::map<std::string_view, int> kNames{
      {"ENOSPC", ENOSPC}, {"EIO", EIO},       {"ENOMEM", ENOMEM}, {"EMFILE", EMFILE},
      {"EPERM", EPERM},   {"EACCES", EACCES}, {"ENOSYS", ENOSYS}, {"EBUSY", EBUSY},
      {"EINVAL", EINVAL}, {"EAGAIN", EAGAIN}, {"EROFS", EROFS},   {"EDQUOT", EDQUOT}};
  const auto found = kNames.find(name);
  return found == kNames.end() ? EIO : found->second;
}

}  // namespace

void crash_point(std::string_view name) {
  // Read each time: tests set it after the program has started, too.
  const char* wanted = std::getenv("CAISSON_CRASH_AT");  // NOLINT(concurrency-mt-unsafe)
  if (wanted != nullptr && name == wanted) ::kill(::getpid(), SIGKILL);
}

int fault(std::string_view name) {
  const char* wanted = std::getenv("CAISSON_FAULT");  // NOLINT(concurrency-mt-unsafe)
  if (wanted == nullptr) return 0;
  const auto parts = base::split(wanted, ':');
  if (parts[0] != name || parts.size() < 2) return 0;
  if (parts.size() > 2) {
    static std::atomic<std::uint64_t> calls{0};
    if (++calls != base::parse_uint(parts[2]).value_or(1)) return 0;
  }
  return errno_of(parts[1]);
}

}  // namespace sys
#endif
