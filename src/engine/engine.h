#pragma once
/// Puts the engine together: opens the stores, adopts the containers that run, and gives the
/// services out. `cmd/caissond` makes one; nothing below receives it.

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/container_files.h"
#include "engine/containers.h"
#include "engine/images.h"
#include "engine/networks.h"
#include "engine/registries.h"
#include "engine/system.h"
#include "engine/volumes.h"

namespace engine {

/// What daemon.json and the flags decide. Field names are those of daemon.json.
struct Options {
  std::string data_root = "/var/lib/caisson";
  std::string exec_root = "/run/caisson";
  std::string shim_path;     ///< absolute; beside caissond by default
  std::string images_path;   ///< directory of built-in image archives, "" for none
  std::string storage_driver;
  std::string default_runtime = "caisson-runtime";
  std::map<std::string, spec::api::RuntimeInfo> runtimes;
  std::vector<std::string> labels;
  std::string log_driver = "json-file";
  spec::api::Labels log_opts;
  std::string cgroup_parent;
  std::vector<std::string> exec_opts;  ///< "native.cgroupdriver=systemd"
  std::string bridge;  ///< "" : caisson0; "none": no default network
  std::string bip, fixed_cidr;
  std::vector<std::string> default_address_pools;  ///< "base=10.0.0.0/8,size=24"
  int mtu = 0;
  bool iptables = true, ip_forward = true, ip_masq = true, icc = true;
  std::string ip = "0.0.0.0";  ///< default host address of published ports
  std::vector<std::string> dns, dns_search, dns_opts;
  std::vector<std::string> registry_mirrors, insecure_registries;
  std::string certs_dir = "/etc/docker/certs.d";
  int max_concurrent_downloads = 3, max_concurrent_uploads = 5;
  int shutdown_timeout = 15;  ///< s
  bool live_restore = true;
  bool init = false;
  std::string init_path;
  std::string seccomp_profile;  ///< "" : the built-in one; "unconfined"; a file
  bool no_new_privileges = false, selinux_enabled = false;
  std::map<std::string, spec::api::Ulimit> default_ulimits;
  std::int64_t default_shm_size = 64 << 20;
  std::string default_ipc_mode = "private", default_cgroupns_mode;
  bool debug = false;
};

class Engine {
 public:
  virtual ~Engine() = default;
  /// Errors: those of the stores; PermissionDenied when not root; Conflict when another daemon has
  /// this data root.
  static base::Result<std::unique_ptr<Engine>> open(const Options& options);

  virtual Containers& containers() = 0;
  virtual Execs& execs() = 0;
  virtual ContainerFiles& files() = 0;
  virtual Images& images() = 0;
  virtual Networks& networks() = 0;
  virtual Volumes& volumes() = 0;
  virtual Registries& registries() = 0;
  virtual System& system() = 0;
  virtual Events& events() = 0;

  /// Stops accepting work. Containers go on (live restore) unless options.live_restore is false.
  virtual void shutdown() = 0;
};

}  // namespace engine
