#pragma once
/// What the daemon and a container's shim say to each other, and the files that they share.
///
/// Transport: SOCK_SEQPACKET unix sockets. One packet is one JSON object:
///
///   request  {"seq":7,"op":"signal","body":{…}}       + descriptors, in the order the op names
///   reply    {"seq":7,"body":{…}}  or  {"seq":7,"error":{"kind":"Conflict","errno":0,"message":"…"}}
///   event    {"event":"exited","body":{…}}            + descriptors
///
/// A packet over kInlineLimit travels as a sealed memfd: {"memfd":true}, the memfd being the first
/// descriptor. Several daemons' connections may be open at once; each gets every event. Requests of
/// one connection are answered in their order. A shim answers an op it does not know with
/// NotImplemented, and ignores members it does not know, so shims and daemons of different versions
/// work together: members are only ever added.
///
/// A container's life as the shim tells it:
///
///   (spawn) ─▶ creating ─ cloned ─ created ─▶ created ─ start ─▶ running ◀─▶ paused
///                │ create_failed               │ shutdown            │ exited
///                ▼                             ▼                     ▼
///            (shim leaves)              (shim leaves)      drain, exit.json, (shim leaves)

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "codec/describe.h"
#include "logs/driver.h"
#include "shim/health.h"

namespace shim {

inline constexpr std::uint32_t kProtocolVersion = 1;
inline constexpr std::size_t kInlineLimit = std::size_t{64} << 10U;
inline constexpr std::size_t kPacketLimit = std::size_t{8} << 20U;
/// The descriptor on which a new shim finds the connection of the daemon that spawned it.
inline constexpr int kInheritedConnection = 3;

/// Files in the container's run directory, <exec-root>/containers/<id>/ (tmpfs, mode 0700).
namespace files {
inline constexpr std::string_view kConfig = "config.json";  ///< the OCI runtime configuration
inline constexpr std::string_view kOptions = "shim.json";   ///< Options, below
inline constexpr std::string_view kSocket = "shim.sock";    ///< for later daemons; mode 0600
inline constexpr std::string_view kLog = "shim.log";        ///< what the shim itself has to say
inline constexpr std::string_view kPid = "pid";             ///< the init's pid, decimal
inline constexpr std::string_view kShimPid = "shim.pid";
/// Exit, below. Written as a whole (rename) before anybody is told; stays until the engine removes it.
inline constexpr std::string_view kExit = "exit.json";
/// "exec-<id>.json": an exec's Exit, until a daemon acknowledged it.
[[nodiscard]] std::string exec_exit(std::string_view exec);
}  // namespace files

/// The root file system as layers: the shim mounts it, detached, in the container's mount namespace
/// only, so it goes away with it and the host never sees a mount.
struct Overlay {
  std::vector<std::string> lowers;  ///< topmost first
  std::string upper;
  std::string work;
  std::vector<std::string> options;  ///< further mount options, "index=off"
};
void describe(auto& v, Overlay& overlay) {
  v("lowers", overlay.lowers);
  v("upper", overlay.upper);
  v("work", overlay.work);
  v.opt("options", overlay.options);
}

/// shim.json: what the shim must know beside the OCI configuration.
struct Options {
  std::string id;
  bool tty = false;
  bool open_stdin = false;  ///< else the process reads /dev/null
  bool stdin_once = false;  ///< the first attachment that ends its input closes the process's
  std::uint16_t rows = 0, columns = 0;
  logs::Config log;
  /// Directory for spilled output of slow clients, on a disk; "" : the log's directory.
  std::string spill_dir;
  std::optional<Overlay> overlay;
  std::string rootfs;  ///< instead of `overlay`: a directory, mounted already
  /// "" : the built-in runtime. Else an OCI runtime's binary, called with runc's command line.
  std::string runtime;
  std::vector<std::string> runtime_arguments;  ///< before the verb
  /// Where the runtime keeps its state (`--root`).
  std::string runtime_root;
  bool systemd_cgroup = false;
  std::optional<HealthCheck> health;
};
void describe(auto& v, Options& options) {
  v("id", options.id);
  v.opt("tty", options.tty);
  v.opt("open_stdin", options.open_stdin);
  v.opt("stdin_once", options.stdin_once);
  v.opt("rows", options.rows);
  v.opt("columns", options.columns);
  v("log", options.log);
  v.opt("spill_dir", options.spill_dir);
  v.opt("overlay", options.overlay);
  v.opt("rootfs", options.rootfs);
  v.opt("runtime", options.runtime);
  v.opt("runtime_arguments", options.runtime_arguments);
  v("runtime_root", options.runtime_root);
  v.opt("systemd_cgroup", options.systemd_cgroup);
  v.opt("health", options.health);
}

/// How a process ended.
struct Exit {
  int code = 0;             ///< its status, or 128 + signal; 126…128 when it never ran
  int signal = 0;           ///< 0: it exited
  bool oom_killed = false;  ///< the kernel killed something in the container for lack of memory
  std::string finished_at;  ///< RFC 3339, UTC
  std::string error;        ///< why it could not run, or what went wrong afterwards
  /// The container's own process only: what its health check had found.
  std::optional<spec::api::Health> health;
};
void describe(auto& v, Exit& exit) {
  v("code", exit.code);
  v.opt("signal", exit.signal);
  v.opt("oom_killed", exit.oom_killed);
  v("finished_at", exit.finished_at);
  v.opt("error", exit.error);
  v.opt("health", exit.health);
}

/// docker's exit code of a `run` or `exec` that failed to start with this error: 127 (no such
/// command), 126 (it can't be executed), else 128. By the message, since that is all an external
/// runtime gives.
[[nodiscard]] int exit_code_of_failure(const base::Error& error);

// ---- Requests --------------------------------------------------------------------------------

/// How a client's connection is joined to a process. The connection is the request's descriptor: a
/// stream socket whose HTTP head is written already.
struct Attachment {
  bool in = false, out = false, err = false;
  bool logs = false;         ///< first all that is in the log so far; nothing twice, nothing lost
  bool stream = true;        ///< then what comes; false: only `logs`
  bool multiplexed = true;   ///< 8-byte frames, as docker has them; a terminal is all stdout
  std::string detach_keys;   ///< docker's syntax; "" : ctrl-p,ctrl-q. Only a terminal's client has them
  std::string already_read;  ///< input that came with the HTTP head, base64 (base::base64)
};
void describe(auto& v, Attachment& attachment) {
  v.opt("in", attachment.in);
  v.opt("out", attachment.out);
  v.opt("err", attachment.err);
  v.opt("logs", attachment.logs);
  v("stream", attachment.stream);
  v("multiplexed", attachment.multiplexed);
  v.opt("detach_keys", attachment.detach_keys);
  v.opt("already_read", attachment.already_read);
}

struct Nothing {};
void describe(auto& /*v*/, Nothing& /*nothing*/) {}

/// Lets the created init run its program. Errors: those of execve(2) in docker's words.
struct Start {
  static constexpr std::string_view kOp = "start";
  struct Reply {
    std::string started_at;
  };
};
void describe(auto& /*v*/, Start& /*start*/) {}
void describe(auto& v, Start::Reply& reply) { v("started_at", reply.started_at); }

/// Joins a connection (the descriptor). Legal before Start, so that no output is missed.
struct Attach {
  static constexpr std::string_view kOp = "attach";
  using Reply = Nothing;
  Attachment attachment;
};
void describe(auto& v, Attach& attach) { v("attachment", attach.attachment); }

/// A further process. With an attachment, the connection is the descriptor.
struct Exec {
  static constexpr std::string_view kOp = "exec";
  struct Reply {
    int pid = 0;
  };
  std::string id;
  codec::Json process;  ///< OCI "process"; its `terminal` decides about the pty
  bool open_stdin = false;
  std::optional<Attachment> attachment;
  /// What the daemon wants to be told of it by GetState, if it is another one by then.
  codec::Json note;
};
void describe(auto& v, Exec& exec) {
  v("id", exec.id);
  v("process", exec.process);
  v.opt("open_stdin", exec.open_stdin);
  v.opt("attachment", exec.attachment);
  v.opt("note", exec.note);
}
void describe(auto& v, Exec::Reply& reply) { v("pid", reply.pid); }

/// In all requests below `exec` names an exec; "" is the container's own process.
struct Resize {
  static constexpr std::string_view kOp = "resize";
  using Reply = Nothing;
  std::string exec;
  std::uint16_t rows = 0, columns = 0;
};
void describe(auto& v, Resize& resize) {
  v.opt("exec", resize.exec);
  v("rows", resize.rows);
  v("columns", resize.columns);
}

struct Signal {
  static constexpr std::string_view kOp = "signal";
  using Reply = Nothing;
  std::string exec;
  int signal = 0;
  bool all = false;     ///< every process of the container
  bool resume = false;  ///< and thaw a paused container, so that it can act on it; SIGKILL always does
};
void describe(auto& v, Signal& signal) {
  v.opt("exec", signal.exec);
  v("signal", signal.signal);
  v.opt("all", signal.all);
  v.opt("resume", signal.resume);
}

struct Pause {
  static constexpr std::string_view kOp = "pause";
  using Reply = Nothing;
};
void describe(auto& /*v*/, Pause& /*pause*/) {}

struct Resume {
  static constexpr std::string_view kOp = "resume";
  using Reply = Nothing;
};
void describe(auto& /*v*/, Resume& /*resume*/) {}

struct Update {
  static constexpr std::string_view kOp = "update";
  using Reply = Nothing;
  codec::Json resources;  ///< OCI "linux.resources"
};
void describe(auto& v, Update& update) { v("resources", update.resources); }

/// Ends the process's input once what is buffered has been written.
struct CloseStdin {
  static constexpr std::string_view kOp = "close_stdin";
  using Reply = Nothing;
  std::string exec;
};
void describe(auto& v, CloseStdin& close) { v.opt("exec", close.exec); }

struct ExecState {
  std::string id;
  int pid = 0;
  std::optional<Exit> exit;  ///< nothing yet: it runs
  codec::Json note;          ///< of Exec; null from a shim that knew none
};
void describe(auto& v, ExecState& exec) {
  v("id", exec.id);
  v("pid", exec.pid);
  v.opt("exit", exec.exit);
  v.opt("note", exec.note);
}

struct GetState {
  static constexpr std::string_view kOp = "state";
  struct Reply {
    std::uint32_t protocol = 0;
    std::string status;  ///< creating, created, running, paused, exited
    int pid = 0;         ///< of the init, in the daemon's pid namespace
    int shim_pid = 0;
    std::string started_at;
    bool oom_killed = false;
    std::vector<ExecState> execs;  ///< running ones, and ended ones nobody acknowledged
    std::optional<Exit> exit;
    std::optional<spec::api::Health> health;  ///< with a health check only
  };
};
void describe(auto& /*v*/, GetState& /*state*/) {}
void describe(auto& v, GetState::Reply& state) {
  v("protocol", state.protocol);
  v("status", state.status);
  v("pid", state.pid);
  v("shim_pid", state.shim_pid);
  v.opt("started_at", state.started_at);
  v.opt("oom_killed", state.oom_killed);
  v.opt("execs", state.execs);
  v.opt("exit", state.exit);
  v.opt("health", state.health);
}

/// All processes of the container.
struct Processes {
  static constexpr std::string_view kOp = "processes";
  struct Reply {
    std::vector<int> pids;
  };
};
void describe(auto& /*v*/, Processes& /*processes*/) {}
void describe(auto& v, Processes::Reply& reply) { v("pids", reply.pids); }

/// The daemon knows that the container ("") or an exec has exited: only now are its clients told
/// (their connections closed), so that an `inspect` that follows is right. shim::Client sends it by
/// itself. Without a daemon, or from one that says nothing for a second, nothing is waited for.
struct Acknowledge {
  static constexpr std::string_view kOp = "acknowledge";
  using Reply = Nothing;
  std::string exec;
};
void describe(auto& v, Acknowledge& acknowledge) { v.opt("exec", acknowledge.exec); }

/// Ends a container that was created but is not to be started: its init is killed, its cgroup and
/// mounts go, the shim leaves. Errors: Conflict once it runs.
struct Shutdown {
  static constexpr std::string_view kOp = "shutdown";
  using Reply = Nothing;
};
void describe(auto& /*v*/, Shutdown& /*shutdown*/) {}

// ---- Events ----------------------------------------------------------------------------------

/// The init exists, with its namespaces: the daemon wires the network while the runtime goes on.
/// Descriptor: the network namespace.
struct Cloned {
  static constexpr std::string_view kEvent = "cloned";
  int pid = 0;
};
void describe(auto& v, Cloned& cloned) { v("pid", cloned.pid); }

struct Created {
  static constexpr std::string_view kEvent = "created";
  int pid = 0;
};
void describe(auto& v, Created& created) { v("pid", created.pid); }

/// Everything was undone; the shim leaves.
struct CreateFailed {
  static constexpr std::string_view kEvent = "create_failed";
  std::string kind;
  int errno_value = 0;
  std::string message;
};
void describe(auto& v, CreateFailed& failed) {
  v("kind", failed.kind);
  v("errno", failed.errno_value);
  v("message", failed.message);
}

struct Exited {
  static constexpr std::string_view kEvent = "exited";
  Exit exit;
};
void describe(auto& v, Exited& exited) { v("exit", exited.exit); }

struct ExecExited {
  static constexpr std::string_view kEvent = "exec_exited";
  std::string exec;
  Exit exit;
};
void describe(auto& v, ExecExited& exited) {
  v("exec", exited.exec);
  v("exit", exited.exit);
}

/// The kernel ran out of the container's memory and killed something in it.
struct OutOfMemory {
  static constexpr std::string_view kEvent = "oom";
};
void describe(auto& /*v*/, OutOfMemory& /*oom*/) {}

/// A health check's process was started, under this id of an exec …
struct ProbeStarted {
  static constexpr std::string_view kEvent = "probe_started";
  std::string exec;
};
void describe(auto& v, ProbeStarted& probe) { v("exec", probe.exec); }

/// … and has ended.
struct ProbeEnded {
  static constexpr std::string_view kEvent = "probe_ended";
  std::string exec;
  int code = 0;
};
void describe(auto& v, ProbeEnded& probe) {
  v("exec", probe.exec);
  v("code", probe.code);
}

/// A health check has a result.
struct HealthReport {
  static constexpr std::string_view kEvent = "health";
  spec::api::Health health;
  bool changed = false;  ///< the status is another one than before
};
void describe(auto& v, HealthReport& report) {
  v("health", report.health);
  v.opt("changed", report.changed);
}

/// A client left with the detach keys.
struct Detached {
  static constexpr std::string_view kEvent = "detached";
  std::string exec;
};
void describe(auto& v, Detached& detached) { v.opt("exec", detached.exec); }

}  // namespace shim
