#pragma once
/// What is known of a container: the OCI state, and what this runtime needs beside it.
/// Source: OCI runtime-spec 1.3, runtime.md, "State".

#include <cstdint>
#include <map>
#include <string>
#include <vector>

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
  std::string created;                ///< RFC 3339
  std::uint32_t owner = 0;            ///< the creator's uid
  std::uint64_t start_time = 0;       ///< of init, ticks since boot: tells it from a reused pid
  std::vector<std::string> cgroups;   ///< directories
  // What later verbs need of the configuration.
  spec::oci::Process process;                 ///< the base of `caisson-runtime exec` without --process
  std::vector<spec::oci::Hook> poststop;
  bool seccomp = false;                       ///< <state root>/<id>/seccomp.bpf is the filter
};

/// The document that the specification defines: for `state` and for hooks' stdin.
[[nodiscard]] codec::Json oci_document(const State& state);

}  // namespace runtime
