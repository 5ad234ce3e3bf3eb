#pragma once
/// The flags of `run` and `create` as they stand on the command line, and what they become: the body of
/// POST /containers/create. Checks and messages are those of docker's client.

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/command.h"
#include "cli/container/devices.h"
#include "cli/container/network.h"
#include "spec/engine/container.h"

namespace cli {

struct ContainerOptions {
  using List = std::vector<std::string>;
  using Map = std::map<std::string, std::string>;

  // Identity and process.
  std::string name, hostname, domainname, user, working_dir, entrypoint, stop_signal, platform, runtime,
      isolation;
  std::optional<std::int64_t> stop_timeout;
  List attach, env, env_files, labels, label_files, group_add;
  Map annotations, sysctls;
  bool interactive = false, tty = false, privileged = false, read_only = false, auto_remove = false;
  std::optional<bool> init;
  bool entrypoint_given = false;
  std::string restart = "no";
  std::string container_id_file, cgroup_parent;
  // Storage.
  List volumes, volumes_from, tmpfs, storage_options;
  std::vector<spec::api::Mount> mounts;
  std::string volume_driver;
  // Network.
  std::vector<NetworkAttachment> networks;
  List publish, expose, aliases, links, link_local_ips, dns, dns_search, dns_options, extra_hosts;
  std::string ip, ip6, mac_address;
  bool publish_all = false;
  // Isolation.
  std::string pid, ipc, uts, userns, cgroupns;
  List cap_add, cap_drop, security_options;
  // Resources.
  spec::api::Resources resources;
  List devices;
  std::vector<spec::api::DeviceRequest> gpus;
  std::int64_t swappiness = -1, shm_size = 0, oom_score_adj = 0, pids_limit = 0;
  bool oom_kill_disable = false;
  // Health.
  std::string health_command, health_http, health_tcp;
  std::chrono::nanoseconds health_interval{0}, health_timeout{0}, health_start_period{0},
      health_start_interval{0};
  std::int64_t health_retries = 0;
  bool no_healthcheck = false, health_restart = false;
  // Logs.
  std::string log_driver;
  List log_options;
  // Accepted, and of no meaning to a daemon on Linux.
  std::int64_t unused_number = 0;
  std::uint64_t unused_count = 0;
  bool content_trust = true, api_socket = false;

  void bind(FlagBinder& flags);
  /// `arguments`: the image and the command. Reads the files that flags name, and this process's
  /// environment for `-e NAME`. Errors: InvalidArgument, NotFound, with docker's messages.
  base::Result<spec::api::CreateContainerRequest> request(const std::vector<std::string>& arguments) const;
};

/// "on-failure:3". Errors: InvalidArgument.
base::Result<spec::api::RestartPolicy> parse_restart(const std::string& text);

}  // namespace cli
