#pragma once
/// Steps that init and a process of `exec` have in common.

#include <string>

#include "base/result.h"
#include "runtime/container.h"
#include "runtime/detail/final_stage.h"
#include "spec/runtime_config.h"
#include "sys/fd.h"
#include "sys/pty.h"

namespace runtime::detail {

/// Known names, soft limits below hard ones, and none that the caller can't raise. They are set by the
/// last steps (final_stage.h), where they hinder nothing any more. Errors: InvalidArgument, Internal.
base::Result<> check_limits(const spec::oci::Process& process);
/// In the parent, right after the clone: what needs the host's privileges or its /proc.
/// `limits_too` when the process lives in a user namespace, where it can't raise a hard limit itself.
base::Result<> setup_from_outside(pid_t pid, const spec::oci::Process& process, bool limits_too);
/// In the process, before it leaves the host's mounts: I/O priority, keyring.
base::Result<> setup_before_root(const spec::oci::Process& process, const std::string& keyring_name);

/// process.scheduler of `pid`, 0 is the calling process. `cpus` is its cpuset, for the message. Errors: Internal.
base::Result<> apply_scheduler(pid_t pid, const spec::oci::Scheduler& wanted, const std::string& cpus);
/// linux.resources.cpu.cpus, or nothing.
[[nodiscard]] std::string cpus_of(const spec::oci::Linux& section);
/// Whether a child has another policy than its parent, or can't be born at all.
[[nodiscard]] bool scheduler_ends_at_fork(const spec::oci::Process& process);
/// linux.personality and linux.memoryPolicy, of the calling process and those that it makes.
base::Result<> apply_personality(const spec::oci::Personality& wanted);
base::Result<> apply_memory_policy(const spec::oci::MemoryPolicy& wanted);

/// The pty of the devpts in `root`, checked to be one. `host_proc` is the host's /proc.
base::Result<sys::Pty> open_container_pty(int root, int host_proc, const spec::oci::Process& process,
                                            bool plain_newlines);
/// Puts the pty's slave, or else `stdio`, or else what is there already, on 0, 1 and 2. Owned by the container's user where that is harmless,
/// so that the program can open /dev/stdout again; the container's own null device in place of the host's.
base::Result<> place_program_stdio(const Stdio& stdio, const sys::Pty& pty, std::uint32_t uid, int host_proc);

/// Supplementary groups.
base::Result<> set_program_groups(const spec::oci::Process& process, bool in_user_namespace);

/// An error that must not look like the program's: NotFound and PermissionDenied become Internal.
[[nodiscard]] base::Error demote(base::Error error);

/// Sends the master to the console socket of `path`. Source: runc, docs/terminals.md.
base::Result<> send_to_console_socket(const std::string& path, int master);

/// "/proc/<pid>" opened as the host's procfs; Errors: Internal if /proc is something else.
base::Result<sys::UniqueFd> open_host_proc();
[[nodiscard]] bool needs_label(const spec::oci::Process& process);

}  // namespace runtime::detail
