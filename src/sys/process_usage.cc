#include "sys/process_usage.h"

#include <ctime>

#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/strings.h"
#include "sys/file.h"

namespace sys {
namespace {

double seconds(const ::timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6; }

/// Field 22 of stat, in ticks since the boot. The second one, a name, may hold anything but ends with the last ")".
double started(const std::string& stat) {
  const auto end = stat.rfind(')');
  if (end == std::string::npos) return 0;
  const std::string rest = stat.substr(end + 1);
  const auto fields = base::split_words(rest);
  constexpr std::size_t kStartTime = 22 - 3;
  if (fields.size() <= kStartTime) return 0;
  const auto ticks = base::parse_uint(fields[kStartTime]).value_or(0);
  ::timespec now{}, up{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  ::clock_gettime(CLOCK_BOOTTIME, &up);
  return static_cast<double>(now.tv_sec - up.tv_sec) + static_cast<double>(ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

}  // namespace

ProcessUsage usage_of_this_process() {
  ProcessUsage usage;
  ::rusage times{};
  if (::getrusage(RUSAGE_SELF, &times) == 0) usage.cpu_seconds = seconds(times.ru_utime) + seconds(times.ru_stime);
  ::rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) usage.max_files = files.rlim_cur;
  if (const auto entries = list_dir(kCwd, "/proc/self/fd")) usage.open_files = entries->size();
  if (const auto text = read_file(kCwd, "/proc/self/statm")) {
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    const auto fields = base::split_words(*text);
    if (fields.size() > 1) {
      usage.virtual_bytes = base::parse_uint(fields[0]).value_or(0) * page;
      usage.resident_bytes = base::parse_uint(fields[1]).value_or(0) * page;
    }
  }
  if (const auto text = read_file(kCwd, "/proc/self/stat")) usage.start_time = started(*text);
  return usage;
}

}  // namespace sys
