#include "sys/crash_point.h"

#ifdef CAISSON_FAULTS
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <map>
#include <string>

#include <fcntl.h>
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

/// One line of name and PID, in one write: other processes write there, too.
void note(const std::string& path, std::string_view name) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) return;
  const std::string line = std::string{name} + " " + std::to_string(::getpid()) + "\n";
  [[maybe_unused]] const auto written = ::write(file, line.data(), line.size());
  ::close(file);
}

bool is_first(const std::string& path) {
  const int file = ::open((path + ".killed").c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file >= 0) ::close(file);
  return file >= 0;
}

}  // namespace

void crash_point(std::string_view name) {
  // Read each time: tests set it after the program has started, too.
  const char* log = std::getenv("CAISSON_CRASH_LOG");  // NOLINT(concurrency-mt-unsafe)
  if (log != nullptr) note(log, name);
  const char* wanted = std::getenv("CAISSON_CRASH_AT");  // NOLINT(concurrency-mt-unsafe)
  if (wanted == nullptr) return;
  const auto parts = base::split(wanted, ':');
  if (parts[0] != name) return;
  static std::atomic<std::uint64_t> calls{0};
  if (parts.size() > 1 && ++calls != base::parse_uint(parts[1]).value_or(1)) return;
  if (log == nullptr || is_first(log)) ::kill(::getpid(), SIGKILL);
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

std::vector<std::string> fault_environment() {
  std::vector<std::string> variables;
  for (const char* name : {"CAISSON_CRASH_AT", "CAISSON_CRASH_LOG", "CAISSON_FAULT"}) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
    if (value != nullptr) variables.push_back(std::string{name} + "=" + value);
  }
  return variables;
}

}  // namespace sys
#endif
