#pragma once
/// What is known of a container: the OCI state, and what this runtime needs beside it.
/// Source: OCI runtime-spec 1.3, runtime.md, "State".

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "cgroup/systemd.h"
#include "codec/describe.h"
#include "spec/runtime_config.h"

namespace runtime {

/// "creating", "created", "running", "paused" (runc's addition), "stopped".
enum class Status : std::uint8_t { Creating, Created, Running, Paused, Stopped };
[[nodiscard]] std::string_view name_of(Status status);

struct State {
  std::string oci_version;
  std::string id;
  Status status = Status::Creating;
  std::int32_t pid = 0;  ///< 0 when stopped
  std::string bundle;    ///< absolute
  std::map<std::string, std::string> annotations;

  std::string rootfs;
  std::string created;               ///< RFC 3339
  std::uint32_t owner = 0;           ///< the creator's uid
  std::uint64_t start_time = 0;      ///< of init, ticks since boot: tells it from a reused pid
  std::vector<std::string> cgroups;  ///< directories
  std::optional<cgroup::SystemdUnit> unit;  ///< if systemd made them
  bool rootless = false;                    ///< cgroup::Wanted::rootless
  bool own_pid_namespace = true;     ///< init's end is everybody's end
  // What later verbs need of the configuration.
  spec::oci::Process process;  ///< the base of `caisson-runtime exec` without --process
  std::optional<spec::oci::Personality> personality;      ///< of every process
  std::optional<spec::oci::MemoryPolicy> memory_policy;  ///< of every process
  std::vector<spec::oci::Hook> poststart;
  std::vector<spec::oci::Hook> poststop;
  bool seccomp = false;  ///< <state root>/<id>/seccomp.bpf is the filter
  std::string seccomp_listener;  ///< the socket of who serves its notifications
  std::string seccomp_metadata;
  std::string foreign_root;             ///< where the root is mounted in a namespace of others, or empty
  std::string foreign_mount_namespace;  ///< which: a file; empty is the runtime's own
  std::string rdt_directory;  ///< the resctrl group, or empty
  bool rdt_made = false;      ///< and it goes with the container
  std::string rdt_monitor;    ///< the monitoring group, or empty
  // For checkpoints (runtime/checkpoint.h).
  std::vector<std::string> binds;              ///< destinations of bind mounts
  std::vector<std::string> joined_namespaces;  ///< types of those that came by path
  std::vector<std::string> descriptors;        ///< what 0, 1, 2 were at the start: "pipe:[123]"; empty with a terminal
};
void describe(auto& v, State& x) {
  v("ociVersion", x.oci_version);
  v("id", x.id);
  v("pid", x.pid);
  v("bundle", x.bundle);
  v.opt("annotations", x.annotations);
  v("rootfs", x.rootfs);
  v("created", x.created);
  v("owner", x.owner);
  v("startTime", x.start_time);
  v("cgroups", x.cgroups);
  v.opt("systemdUnit", x.unit);
  v.opt("rootless", x.rootless);
  v("ownPidNamespace", x.own_pid_namespace);
  v("process", x.process);
  v.opt("personality", x.personality);
  v.opt("memoryPolicy", x.memory_policy);
  v.opt("poststart", x.poststart);
  v.opt("poststop", x.poststop);
  v("seccomp", x.seccomp);
  v.opt("seccompListener", x.seccomp_listener);
  v.opt("seccompMetadata", x.seccomp_metadata);
  v.opt("foreignRoot", x.foreign_root);
  v.opt("foreignMountNamespace", x.foreign_mount_namespace);
  v.opt("rdtDirectory", x.rdt_directory);
  v.opt("rdtMade", x.rdt_made);
  v.opt("rdtMonitor", x.rdt_monitor);
  v.opt("binds", x.binds);
  v.opt("joinedNamespaces", x.joined_namespaces);
  v.opt("descriptors", x.descriptors);
}

/// The document that the specification defines: for `state` and for hooks' stdin.
[[nodiscard]] codec::Json oci_document(const State& state);

/// "abc-1.2+x_": what may be an id. Errors: InvalidArgument.
base::Result<> check_id(const std::string& id);
[[nodiscard]] std::string state_directory(const std::string& state_root, const std::string& id);
base::Result<> write_state(const std::string& directory, const State& state);
/// As written; the status is not part of the file. Errors: NotFound, InvalidArgument.
base::Result<State> read_state(const std::string& directory);

}  // namespace runtime
