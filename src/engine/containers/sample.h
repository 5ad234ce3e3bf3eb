#pragma once
/// One look at what a container uses.

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cgroup/stats.h"
#include "engine/containers/core.h"
#include "spec/engine/stats.h"

namespace engine {

/// From cgroup, /proc/stat and the container's network namespace; without name, id and the sample before. Of a
/// container that does not run everything is zero. Errors: Internal.
base::Result<spec::api::ContainerStats> sample(const Record& record);

// Parts, pure, for tests.
/// Text of /proc/<pid>/net/dev; without the loopback interface. Source: proc_pid_net(5).
[[nodiscard]] std::map<std::string, spec::api::NetworkStats> parse_interfaces(std::string_view text);
/// Text of /proc/stat: the whole machine's time in ns, and its CPUs. Source: proc_stat(5).
struct SystemCpu {
  std::uint64_t usage = 0;
  std::uint32_t cpus = 0;
};
[[nodiscard]] SystemCpu parse_system_cpu(std::string_view text, std::uint64_t ticks_per_second);
/// `machine_memory` in bytes stands for a limit that is none.
void fill(spec::api::ContainerStats& stats, const cgroup::Stats& used, std::uint64_t machine_memory);

}  // namespace engine
