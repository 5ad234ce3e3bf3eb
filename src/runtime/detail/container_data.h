#pragma once
/// What a Container holds, shared by the files of its verbs.

#include "runtime/container.h"
#include "runtime/detail/channel.h"
#include "runtime/detail/seccomp_compile.h"
#include "sys/process.h"

namespace runtime {

struct Container::Data {
  State state;
  std::string state_root;
  cgroup::Host host;
  std::optional<cgroup::Cgroup> cgroup;  ///< opened when first needed
  sys::Process init;                     ///< invalid when it had ended before load
  sys::UniqueFd pty_master;
  detail::Channel channel;  ///< open from create until execve, in the creating process

  [[nodiscard]] std::string directory() const { return state_directory(state_root, state.id); }
  [[nodiscard]] std::string fifo() const { return directory() + "/exec.fifo"; }
  [[nodiscard]] std::string seccomp_file() const { return directory() + "/seccomp.bpf"; }
  base::Result<cgroup::Cgroup*> open_cgroup();
  [[nodiscard]] Status status();
};

namespace detail {

/// The directory, locked against clean_up as long as the descriptor is open. Errors: Conflict when there
/// is a container of that id.
base::Result<sys::UniqueFd> make_state_directory(const Container::Data& data);
/// The cgroup that the container is to get, recorded for who cleans up after a killed creator.
base::Result<cgroup::Cgroup> plan_cgroup(const Container::Data& data, const spec::oci::Spec& spec, const CreateOptions& options);
/// What is known of a container before it is made.
[[nodiscard]] State new_state(const spec::oci::Spec& spec, const CreateOptions& options);
/// The compiled filter, kept beside the state for exec.
base::Result<SeccompProgram> record_seccomp(Container::Data& data, const spec::oci::Seccomp& section);
/// Reads the channel up to execve. A failed step comes as its error; `process` is who makes them.
/// With `patience` it is an error when nothing is heard for so long. `first`: a packet that came already.
base::Result<> wait_for_exec(const Channel& channel, const sys::Process& process, const State& state, const std::string& program,
                             std::optional<std::chrono::milliseconds> patience = std::nullopt,
                             std::optional<Packet> first = std::nullopt);
/// How the process that said nothing ended, for a message.
[[nodiscard]] base::Error ended_silently(const sys::Process& process);

}  // namespace detail
}  // namespace runtime
