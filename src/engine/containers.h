#pragma once
/// The containers service: every verb of a container, and the only owner of their states.
///
/// Lifecycle (engine/lifecycle.h holds the table of states and legal steps):
///
///   created ── start ──▶ running ◀─ unpause/pause ─▶ paused
///                          │  ▲
///                   exit   ▼  │ restart policy
///                        exited / restarting ── remove ──▶ (gone)
///
/// Locks: each container has its own, never held across an exec, the network, bulk I/O or another
/// container; `list` and `inspect` read immutable snapshots and never wait for a verb that runs.
/// What a verb does to the kernel is done by the container's shim or by `net`; a shim that does not
/// answer delays only requests about its own container.
///
/// Errors carry docker's wording (NotFound: "No such container: x"; Conflict: "container … is not
/// running"). `ref` is an id, an unambiguous id prefix or a name, with or without a leading slash.
/// All methods are safe from any thread and may block; the `stop` tokens end a wait early.

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "base/time.h"
#include "spec/engine/container_state.h"
#include "spec/engine/stats.h"
#include "sys/fd.h"

namespace engine {

/// docker's filters: name → values; a container passes if for each name one value matches.
using Filters = std::map<std::string, std::vector<std::string>>;

struct ListOptions {
  bool all = false;
  int limit = 0;  ///< the newest n, whatever their state; 0: no limit
  bool size = false;
  Filters filters;
};

struct CreateOptions {
  std::string name;  ///< "" : a random "adjective_surname"
  std::string platform;
  spec::api::CreateContainerRequest request;
};

struct AttachOptions {
  bool stream = false, logs = false;
  bool in = false, out = false, err = false;
  std::string detach_keys;  ///< "" : the default, ctrl-p,ctrl-q
  /// Frame stdout and stderr (8-byte headers) where the container has no terminal.
  bool multiplexed = true;
};

struct LogOptions {
  bool out = false, err = false, follow = false;
  std::optional<base::Time> since, until;
  std::optional<std::uint64_t> tail;  ///< nullopt: all
};
struct LogEntry {
  enum class Stream : std::uint8_t { Stdout = 1, Stderr = 2 };
  Stream stream = Stream::Stdout;
  base::Time time{};
  std::string line;  ///< with its newline unless partial
  spec::api::Labels attributes;  ///< for `--details`
};
/// The entries of one container's log, in order. Blocks for new ones when following.
class LogReader {
 public:
  virtual ~LogReader() = default;
  /// False at the end: the log's, or of following when the container has ended or `stop` fired.
  virtual base::Result<bool> next(LogEntry& entry, std::stop_token stop) = 0;
  /// Whether `next` would return without blocking, so that a writer may hold its bytes back.
  [[nodiscard]] virtual bool ready() { return false; }
};

enum class WaitCondition : std::uint8_t { NotRunning, NextExit, Removed };
/// A wait that was registered: no exit after `wait()` returned is missed.
class Wait {
 public:
  virtual ~Wait() = default;
  /// Blocks until the condition holds. Errors: Unavailable when `stop` fired.
  virtual base::Result<spec::api::WaitResponse> get(std::stop_token stop) = 0;
};

/// A client's connection about to be joined to a container's or exec's streams. Made before the
/// answer's head is written, so that an error is still an HTTP status.
class StreamTicket {
 public:
  virtual ~StreamTicket() = default;
  /// Whether the stream is a terminal's: raw, not multiplexed.
  [[nodiscard]] virtual bool tty() const = 0;
  /// Gives the connection away, with the bytes that were already read from it. It is served by the
  /// shim from then on, whether the daemon lives or not.
  virtual base::Result<> connect(sys::UniqueFd connection, std::string already_read) = 0;
};

/// What a container uses, second by second.
class StatsStream {
 public:
  virtual ~StatsStream() = default;
  /// The first at once, without a sample before it; each further one a second later. False when the container was
  /// removed or `stop` fired.
  virtual base::Result<bool> next(spec::api::ContainerStats& stats, std::stop_token stop) = 0;
};

struct StopOptions {
  std::string signal;                              ///< "" : the container's StopSignal
  std::optional<std::chrono::seconds> timeout;     ///< negative: wait for ever
};
struct RemoveOptions {
  bool force = false, volumes = false, link = false;
};
struct PruneReport {
  std::vector<std::string> ids;
  std::uint64_t bytes = 0;
};

class Containers {
 public:
  virtual ~Containers() = default;

  virtual base::Result<spec::api::CreateContainerResponse> create(const CreateOptions& options) = 0;
  virtual base::Result<std::vector<spec::api::ContainerSummary>> list(const ListOptions& options) = 0;
  virtual base::Result<spec::api::ContainerInspect> inspect(const std::string& ref, bool size) = 0;
  /// NotModified if it runs already.
  virtual base::Result<> start(const std::string& ref, const std::string& detach_keys) = 0;
  /// NotModified if it does not run.
  virtual base::Result<> stop(const std::string& ref, const StopOptions& options) = 0;
  virtual base::Result<> restart(const std::string& ref, const StopOptions& options) = 0;
  /// `signal`: "", "SIGKILL", "KILL" or "9".
  virtual base::Result<> kill(const std::string& ref, const std::string& signal) = 0;
  virtual base::Result<> pause(const std::string& ref) = 0;
  virtual base::Result<> unpause(const std::string& ref) = 0;
  virtual base::Result<> rename(const std::string& ref, const std::string& name) = 0;
  /// The warnings. Limits count at once, also for a container that runs. Errors: InvalidArgument, Conflict.
  virtual base::Result<spec::api::StringList> update(const std::string& ref,
                                                     const spec::api::UpdateRequest& request) = 0;
  virtual base::Result<> remove(const std::string& ref, const RemoveOptions& options) = 0;
  virtual base::Result<std::unique_ptr<Wait>> wait(const std::string& ref, WaitCondition condition) = 0;
  virtual base::Result<std::unique_ptr<StreamTicket>> attach(const std::string& ref,
                                                             const AttachOptions& options) = 0;
  virtual base::Result<std::unique_ptr<LogReader>> logs(const std::string& ref,
                                                        const LogOptions& options) = 0;
  /// Whether its streams are a terminal's, as `logs` and `attach` must know.
  virtual base::Result<bool> has_tty(const std::string& ref) = 0;
  virtual base::Result<> resize(const std::string& ref, unsigned rows, unsigned columns) = 0;
  /// `ps_args` as ps(1) has them: "-ef", "aux", "-o pid,comm".
  virtual base::Result<spec::api::TopResponse> top(const std::string& ref, const std::string& ps_args) = 0;
  /// Of a container that does not run all is zero.
  virtual base::Result<std::unique_ptr<StatsStream>> stats(const std::string& ref) = 0;
  virtual base::Result<PruneReport> prune(const Filters& filters) = 0;
};

/// Execs: further processes in a running container.
class Execs {
 public:
  virtual ~Execs() = default;
  virtual base::Result<std::string> create(const std::string& container, const spec::api::ExecConfig& config) = 0;
  virtual base::Result<spec::api::ExecInspect> inspect(const std::string& id) = 0;
  /// Starts it detached.
  virtual base::Result<> start_detached(const std::string& id) = 0;
  /// Starts it when the ticket is connected.
  virtual base::Result<std::unique_ptr<StreamTicket>> start(const std::string& id,
                                                            const spec::api::ExecStartRequest& request,
                                                            bool multiplexed) = 0;
  virtual base::Result<> resize(const std::string& id, unsigned rows, unsigned columns) = 0;
};

}  // namespace engine
