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
  std::string resolv_conf;  ///< instead of the host's own
  std::vector<std::string> registry_mirrors, insecure_registries;
  std::string certs_dir = "/etc/docker/certs.d";
  int max_concurrent_downloads = 3, max_concurrent_uploads = 5, max_download_attempts = 5;
  std::string http_proxy, https_proxy, no_proxy;  ///< shown by info; curl reads them from the environment
  int shutdown_timeout = 15;                      ///< s; negative: as long as it takes
  int default_stop_timeout = 10;                  ///< s, of a container that has none of its own
  std::string layer_blobs = "drop-rebuildable";   ///< or "keep"
  std::int64_t image_budget = 0;                  ///< bytes that images may take; 0: any amount
  bool live_restore = true;
  bool init = false;
  std::string init_path;  ///< "" : caisson-init beside caissond
  std::vector<std::string> cdi_spec_dirs;  ///< none: /etc/cdi and /var/run/cdi
  std::string seccomp_profile;  ///< "" : the built-in one; "unconfined"; a file
  bool no_new_privileges = false, selinux_enabled = false;
  std::map<std::string, spec::api::Ulimit> default_ulimits;
  std::int64_t default_shm_size = 64 << 20;
  std::string default_ipc_mode = "private", default_cgroupns_mode;
  std::vector<std::string> authorization_plugins;  ///< asked by api; named here for info
  std::string min_api_version;  ///< "" : kMinApiVersion; what version says, api keeps to it
  bool debug = false;
};

/// What can be said about options without a look at the host. Errors: InvalidArgument, in dockerd's words.
base::Result<> check_options(const Options& options);

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

  /// Takes what may change while the engine runs (labels, runtimes and the default one, defaults of new containers,
  /// registries, limits of transfers, timeouts, live restore, debug, authorization plugins) from `options`, and
  /// publishes `reload`. Errors: those of check_options; then nothing has changed.
  virtual base::Result<> reload(const Options& options) = 0;

  /// Stops accepting work. Containers go on (live restore) unless options.live_restore is false.
  virtual void shutdown() = 0;
};

}  // namespace engine
