#include "shim/detail/cgroup_of.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/strings.h"
#include "sys/file.h"

namespace shim::detail {

using base::Result;

Result<cgroup::Cgroup> cgroup_of(pid_t pid) {
  const auto host = TRY(cgroup::Host::detect());
  const auto* memory = host.v1("memory");
  if (memory == nullptr) memory = host.v2();
  if (memory == nullptr) return base::not_found("no cgroup hierarchy counts memory");
  const std::string text = TRY(sys::read_file(sys::kCwd, fmt::format("/proc/{}/cgroup", pid)));
  for (const auto line : base::split_words(text, '\n')) {
    // "4:memory:/a/b"; on v2 "0::/a/b". A path may hold colons, the rest can't.
    const auto id = base::cut(line, ":");
    const auto rest = id ? base::cut(id->second, ":") : std::nullopt;
    if (!rest) continue;
    const auto controllers = base::split(rest->first, ',');
    const bool wanted = memory->v2 ? id->first == "0" : std::ranges::find(controllers, "memory") != controllers.end();
    if (wanted) return cgroup::Cgroup::open(host, {memory->mount_point + std::string{rest->second}});
  }
  return base::not_found(fmt::format("process {} has no cgroup", pid));
}

}  // namespace shim::detail
