#pragma once
/// From docker's Config and HostConfig to the OCI runtime configuration, one subject per file:
/// process.cc, mounts.cc, namespaces.cc, resources.cc, devices.cc, seccomp.cc.
///
/// Pure but for device nodes, whose numbers are read from the host's /dev. Defaults are docker's
/// (capabilities, seccomp, masked and read-only paths, mounts, devices) or stricter.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cgroup/systemd.h"
#include "engine/host_facts.h"
#include "spec/engine/container_state.h"
#include "spec/runtime_config.h"

namespace engine::oci {

/// The daemon's part of the decision.
struct Defaults {
  std::map<std::string, spec::api::Ulimit> ulimits;
  std::string seccomp_profile;  ///< text; "" : the built-in one; "unconfined"
  bool no_new_privileges = false;
  std::string init_path;
  std::vector<std::string> cdi_spec_dirs;
  std::string cgroup_parent;  ///< "" : "/docker", or "system.slice" with systemd
  cgroup::Driver cgroup_driver = cgroup::Driver::Cgroupfs;
};

/// Where other containers' namespaces are, for the modes "container:<id>": paths, "" if not joined.
struct JoinedNamespaces {
  std::string network, pid, ipc;
};

struct Input {
  std::string id;
  const spec::api::ContainerConfig& config;
  const spec::api::HostConfig& host;
  const HostFacts& facts;
  const Defaults& defaults;
  spec::oci::User user;
  std::string hostname;  ///< what HOSTNAME says, also where the UTS namespace is another's
  JoinedNamespaces joined;
  std::vector<std::string> linked_environment;  ///< of --link, below what the user gives
  std::vector<spec::oci::Mount> mounts;  ///< volumes, binds, tmpfs, /etc/hosts …: in any order
  bool user_namespace = false;
};

/// Errors: InvalidArgument in docker's words (an unknown capability, device, security option …).
base::Result<spec::oci::Spec> build_spec(const Input& input);

/// For `exec`: the process document, with the container's own security settings.
struct ExecInput {
  const spec::api::ExecConfig& exec;
  const spec::api::ContainerConfig& config;
  const spec::api::HostConfig& host;
  const HostFacts& facts;
  const Defaults& defaults;
  spec::oci::User user;
  std::string hostname;
  std::vector<std::string> linked_environment;
};
base::Result<spec::oci::Process> build_exec_process(const ExecInput& input);

/// Of --security-opt. Errors: InvalidArgument "invalid --security-opt 2: …".
struct SecurityOptions {
  std::string seccomp;   ///< "" : default; "unconfined", "builtin" or a profile's text
  std::string apparmor;  ///< "" : default
  std::vector<std::string> labels;
  std::optional<bool> no_new_privileges;
  bool unconfined_system_paths = false;
  bool writable_cgroups = false;
};
base::Result<SecurityOptions> parse_security_options(const std::vector<std::string>& options);

/// What a container without --privileged can't see, and can't write.
[[nodiscard]] std::vector<std::string> default_masked_paths(const HostFacts& facts);
[[nodiscard]] std::vector<std::string> default_readonly_paths();

/// Docker's merge of tmpfs options: of contradicting ones the last holds.
/// Errors: InvalidArgument `invalid tmpfs option ["x"]`.
base::Result<std::vector<std::string>> merge_tmpfs_options(const std::vector<std::string>& options);

// The parts, in the order in which build_spec calls them.
base::Result<> add_process(const Input& input, spec::oci::Spec& spec);
base::Result<> add_namespaces(const Input& input, spec::oci::Spec& spec);
base::Result<> add_mounts(const Input& input, spec::oci::Spec& spec);
base::Result<> add_resources(const Input& input, spec::oci::Spec& spec);
base::Result<> add_devices(const Input& input, spec::oci::Spec& spec);
base::Result<> add_seccomp(const Input& input, spec::oci::Spec& spec);

/// The `resources` of `update` and of a start alike, without devices.
base::Result<spec::oci::Resources> limits_of(const spec::api::Resources& resources, const HostFacts& facts);

}  // namespace engine::oci
