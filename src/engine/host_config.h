#pragma once
/// What docker does to a create request before it becomes a container: defaults, checks, warnings.
/// Pure; the image's part is in config_merge.h.

#include <string>
#include <vector>

#include "base/result.h"
#include "cgroup/systemd.h"
#include "engine/host_facts.h"
#include "spec/engine/container.h"

namespace engine {

/// The daemon's part of the defaults.
struct HostConfigDefaults {
  std::int64_t shm_size = 64 << 20;
  std::string ipc_mode = "private", cgroupns_mode;  ///< "" : private on cgroup v2, host on v1
  std::string runtime;
  std::vector<std::string> runtimes;  ///< names that are configured
  std::string log_driver;
  spec::api::Labels log_opts;
  bool init = false;
  cgroup::Driver cgroup_driver = cgroup::Driver::Cgroupfs;
};

/// Checks both parts against each other and against the host, fills in what was left out. The
/// warnings for the answer. Errors: InvalidArgument in docker's words.
base::Result<std::vector<std::string>> settle_host_config(spec::api::ContainerConfig& config,
                                                          spec::api::HostConfig& host, const HostFacts& facts,
                                                          const HostConfigDefaults& defaults);

/// Errors: InvalidArgument in docker's words.
base::Result<> check_restart_policy(const spec::api::HostConfig& host);

/// The limits alone, as `update` has them, too.
base::Result<> settle_resources(spec::api::Resources& resources, const HostFacts& facts,
                                std::vector<std::string>& warnings);

/// "0-3,7" → 0 1 2 3 7. Errors: InvalidArgument.
base::Result<std::vector<unsigned>> parse_cpu_list(std::string_view list);

/// "container:abc" → "abc"; "" for any other mode.
[[nodiscard]] std::string_view joined_container(std::string_view mode);

}  // namespace engine
