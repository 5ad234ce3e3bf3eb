#include <algorithm>

#include <fmt/format.h>

#include "base/strings.h"
#include "cgroup/cgroup.h"
#include "sys/file.h"

namespace cgroup {

using base::Result;

Result<Cgroup> Cgroup::of_process(const Host& host, pid_t pid) {
  const std::string text = TRY(sys::read_file(sys::kCwd, fmt::format("/proc/{}/cgroup", pid)));
  std::vector<std::string> directories;
  for (const auto line : base::split_words(text, '\n')) {
    // "4:memory:/a/b"; on v2 "0::/a/b". A path may hold colons, the rest can't.
    const auto id = base::cut(line, ":");
    const auto rest = id ? base::cut(id->second, ":") : std::nullopt;
    if (!rest) continue;
    const auto controllers = base::split(rest->first, ',');
    for (const Hierarchy& hierarchy : host.hierarchies) {
      const bool same = hierarchy.v2 ? id->first == "0" : std::ranges::any_of(controllers, [&](std::string_view name) {
        return hierarchy.has(name);
      });
      if (same) directories.push_back(hierarchy.mount_point + std::string{rest->second});
    }
  }
  if (directories.empty()) return base::not_found(fmt::format("process {} has no cgroup", pid));
  return open(host, directories);
}

}  // namespace cgroup
