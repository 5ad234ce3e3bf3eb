#pragma once
/// OCI containers: from a configuration to a process, and all that is done to it afterwards.
///
/// `Container::create` clones the init process into its namespaces, builds its root and returns when
/// init waits just before the program's execve(2); `start` lets it go. The caller of `create` is the
/// parent of init: it alone gets its exit status, by waitid(2) on `pidfd()` or by `wait`. Everything
/// else works from any process: `load` finds a container by its state directory
///
///   <state root>/<id>/state.json   who and where (runtime/state.h)
///   <state root>/<id>/exec.fifo    there while the container waits for `start`
///   <state root>/<id>/cgroup       a link whose text is the cgroup path, for clean_up; or
///   <state root>/<id>/unit.json    systemd's unit
///
/// which is also how `caisson-runtime --root <state root>` sees containers of the shim.
///
/// Errors of create, start and exec: the kind tells what a client must know.
///   NotFound          the program is not there; docker's exit status 127
///   PermissionDenied  the program can't be executed; 126
///   InvalidArgument   the configuration is wrong
///   Conflict          the id is in use, or the state forbids the step
///   NotImplemented    this kernel lacks something that the configuration needs
///   Internal          the rest, with errno_value where a call failed
/// Nothing but the program itself is reported as NotFound or PermissionDenied. Messages have runc's
/// wording where clients match on it: `unable to start container process: exec: "foo": executable
/// file not found in $PATH`. After an error nothing is left behind.
///
/// Threads: the process that calls create or exec must be single-threaded (the shim and the command
/// line are); a Container is used by one thread at a time.
///
/// Source: OCI runtime-spec 1.3, runtime.md; runc's behaviour where the specification is silent.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/function_ref.h"
#include "base/result.h"
#include "cgroup/cgroup.h"
#include "runtime/state.h"
#include "spec/runtime_config.h"
#include "sys/fd.h"
#include "sys/process.h"

namespace runtime {

/// The program's descriptors 0, 1, 2 when it has no terminal. Invalid ones are the caller's own.
/// Taken over, and closed in the caller once the process has them.
struct Stdio {
  sys::UniqueFd in;
  sys::UniqueFd out;
  sys::UniqueFd err;
};

/// Called once, as soon as the process exists and has its namespaces (its network namespace can be
/// wired from now on, in parallel with the rest of the set-up). An error aborts create or exec.
using OnNamespaces = base::FunctionRef<base::Result<>(pid_t pid, int pidfd)>;

struct CreateOptions {
  std::string id;
  std::string bundle;  ///< absolute; relative paths of the configuration start here
  std::string state_root;
  Stdio stdio;
  /// A detached mount (fsmount(2), open_tree(2)) that becomes the root instead of root.path.
  sys::UniqueFd rootfs;
  /// With a terminal: a unix socket to send the pty's master to. Empty: take_pty_master() has it.
  std::string console_socket;
  std::string pid_file;
  int preserve_fds = 0;  ///< descriptors 3, 4, … that the program inherits
  bool no_pivot = false;
  bool no_new_keyring = false;
  /// With a terminal: it makes no "\r\n" of a newline (ONLCR). For who copies its output to a terminal
  /// that does so itself, or to a file.
  bool plain_newlines = false;
  cgroup::Driver cgroup_driver = cgroup::Driver::Cgroupfs;
  bool rootless = false;  ///< cgroup::Wanted::rootless
  /// Don't wait for start: create returns when the program runs. (No exec.fifo, one step less.)
  bool start_at_once = false;
  std::optional<OnNamespaces> on_namespaces;
  /// Called once, with the process that the program will run in, before it does. That of `on_namespaces` may be another
  /// one, which only sets the container up: where a PID namespace is joined.
  std::optional<OnNamespaces> on_process;
};

struct ExecOptions {
  Stdio stdio;
  std::string console_socket;
  std::string pid_file;
  int preserve_fds = 0;
  bool no_new_keyring = false;
  bool plain_newlines = false;  ///< as in CreateOptions
  bool ignore_paused = false;   ///< then the process waits for resume, and so does exec
  cgroup::Subgroups subgroups;  ///< cgroups below the container's; empty: that itself
  std::optional<OnNamespaces> on_namespaces;
  /// How long the new process may take to execute its program; then it is killed. From its birth on others
  /// in the container can stop it, and whoever waits for it with it. Nothing: for ever, as runc does.
  std::optional<std::chrono::milliseconds> patience;
};

struct CheckpointOptions;  // runtime/checkpoint.h
struct RestoreOptions;

/// A process beside init. The caller is its parent and reaps it by `process`.
struct ExecHandle {
  sys::Process process;
  sys::UniqueFd pty_master;  ///< with a terminal and no console socket
};

class Container {
 public:
  static base::Result<Container> create(const spec::oci::Spec& spec, CreateOptions options);
  /// Errors: NotFound (`container does not exist`).
  static base::Result<Container> load(const std::string& state_root, const std::string& id);
  /// Removes what a create left that was killed before it recorded the container: `load` does not find
  /// that, but the id is taken. Waits for a create that is under way. Errors: NotFound (nothing there),
  /// Conflict (a container is there after all).
  static base::Result<> clean_up(const std::string& state_root, const std::string& id);
  /// Makes the container that `checkpoint` wrote, as a new one with the root, the mounts, the limits and
  /// the hooks of `spec`. Its processes run when this returns, and init is the caller's child, as after
  /// create. Errors: NotFound (no checkpoint there), NotImplemented (no CRIU, or too old), Internal with
  /// CRIU's reason; nothing is left behind then.
  static base::Result<Container> restore(const spec::oci::Spec& spec, RestoreOptions options);
  /// The state of every container under `state_root`, by id. Nothing there is no error.
  static base::Result<std::vector<State>> list(const std::string& state_root);

  Container(Container&&) noexcept;
  Container& operator=(Container&&) noexcept;
  ~Container();

  /// Runs the program. In the process that created it, returns when execve has happened and gives its
  /// error; elsewhere when init has been told. Errors: Conflict unless created.
  base::Result<> start();
  /// Sends `signal` to init, or to every process of the container. Conflict when it has stopped.
  base::Result<> kill(int signal, bool all = false);
  base::Result<> pause();
  base::Result<> resume();
  base::Result<> update(const spec::oci::Resources& resources);
  /// Runs another process in the container; its limits, namespaces and seccomp filter are the
  /// container's, the rest stands in `process`. Errors: Conflict unless running.
  base::Result<ExecHandle> exec(const spec::oci::Process& process, ExecOptions options);
  /// Writes all processes to files. They have ended afterwards, killed by CRIU, unless they are to run
  /// on; the container is still to be destroyed. Errors: Conflict unless running or paused,
  /// NotImplemented, Internal with CRIU's reason; the container runs on then.
  base::Result<> checkpoint(const CheckpointOptions& options);
  /// Waits for init; only in the process that created it.
  base::Result<sys::ExitStatus> wait();
  /// Runs poststop hooks, removes cgroup and state. Conflict while it runs, unless `force` kills it.
  base::Result<> destroy(bool force = false);

  [[nodiscard]] const std::string& id() const;
  /// As it is now: asks the kernel whether init lives.
  [[nodiscard]] State state() const;
  [[nodiscard]] pid_t pid() const;
  /// Of init; stays the container's. -1 when it has stopped before load.
  [[nodiscard]] int pidfd() const;
  /// Of the container that this process created: to wait for it.
  [[nodiscard]] const sys::Process& init() const;
  /// The terminal's master, once.
  [[nodiscard]] sys::UniqueFd take_pty_master();
  /// Stays the container's.
  [[nodiscard]] base::Result<cgroup::Cgroup*> cgroup();
  [[nodiscard]] base::Result<std::vector<pid_t>> processes() const;

  struct Data;

 private:
  explicit Container(std::unique_ptr<Data> data);
  std::unique_ptr<Data> data_;
};

}  // namespace runtime
