#include "sys/pidfd.h"

#include <fmt/format.h>

#include "base/strings.h"
#include "sys/file.h"

namespace sys {

using base::Result;

Result<pid_t> pid_of(int pidfd) {
  const std::string text = TRY(read_file(kCwd, fmt::format("/proc/self/fdinfo/{}", pidfd)));
  for (const auto line : base::split(text, '\n')) {
    const auto pair = base::cut(line, ":");
    if (!pair || pair->first != "Pid") continue;
    const auto pid = base::parse_int(base::trim(pair->second));
    if (pid && *pid > 0) return static_cast<pid_t>(*pid);
  }
  return base::not_found("the process of the pidfd");
}

}  // namespace sys
