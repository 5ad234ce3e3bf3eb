#include "cmd/caissond/pidfile.h"

#include <unistd.h>

#include <fmt/format.h>

#include "base/strings.h"
#include "sys/file.h"
#include "sys/process.h"

namespace caissond {
namespace {

using base::Result;

/// Neither a dead process that nobody has reaped yet nor another program that got its number counts.
bool is_running_daemon(std::int64_t pid) {
  if (pid == ::getpid()) return false;
  const auto process = sys::Process::open(static_cast<pid_t>(pid));
  if (!process || !process->alive()) return false;
  const auto its_name = sys::read_file(sys::kCwd, fmt::format("/proc/{}/comm", pid));
  const auto my_name = sys::read_file(sys::kCwd, "/proc/self/comm");
  return !its_name || !my_name || *its_name == *my_name;
}

}  // namespace

Result<> write_pidfile(const std::string& path) {
  if (const auto old = sys::read_file(sys::kCwd, path)) {
    const auto pid = base::parse_int(base::trim(*old));
    if (pid && is_running_daemon(*pid)) {
      return base::conflict(fmt::format("process with PID {} is still running: make sure caissond is not running, "
                                        "or delete {}",
                                        *pid, path));
    }
  }
  const auto slash = path.rfind('/');
  if (slash != std::string::npos && slash > 0) TRY(sys::make_dirs(sys::kCwd, path.substr(0, slash), 0755));
  return sys::write_file_atomic(sys::kCwd, path, fmt::format("{}", ::getpid()), 0644);
}

}  // namespace caissond
