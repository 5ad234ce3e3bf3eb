#pragma once
/// One container in memory: its newest record, its run, and who waits for what.
///
/// Two locks. `verbs` is held by the verb that is changing the container, from its first check to its
/// last write, shim and network included: it delays only verbs on this container, never a reader.
/// `mutex_` guards the fields, for moments. An exit changes the record without the verb lock (the
/// reactor must not wait), so a verb that comes back from the shim looks at the state again.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/function_ref.h"
#include "engine/containers/record.h"
#include "engine/detail/reactor.h"
#include "shim/protocol.h"
#include "sys/fd.h"

namespace engine {

class Run;

/// A client's connection that waits for the start.
struct PendingAttachment {
  sys::UniqueFd connection;
  shim::Attachment attachment;
};

/// An exec, in memory only: it ends with the container's run.
struct ExecRecord {
  std::string id, container;
  spec::api::ExecConfig config;
  bool started = false, running = false;
  std::int64_t pid = 0;
  std::optional<std::int64_t> exit_code;
};

/// How an end of the container's process looks to those who wait for it.
struct Ended {
  std::uint64_t number = 0;  ///< how many ends there were
  std::int64_t exit_code = 0;
  std::string error;
};

/// A reader that follows the log and must be told when there is no more to come.
class LogFollower {
 public:
  virtual ~LogFollower() = default;
  /// From any thread.
  virtual void finish() = 0;
};

class Container {
 public:
  explicit Container(Record record);
  Container(const Container&) = delete;
  Container& operator=(const Container&) = delete;

  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] std::shared_ptr<const Record> record() const;
  [[nodiscard]] State state() const { return record()->state; }
  /// Changes a copy and makes it the newest. Returns what is the newest then.
  std::shared_ptr<const Record> update(base::FunctionRef<void(Record&)> change);

  /// Held by the verb that changes the container.
  std::mutex verbs;

  // -- the run: one life of its process ----------------------------------------------------------
  [[nodiscard]] std::shared_ptr<Run> run() const;
  void set_run(std::shared_ptr<Run> run);
  /// The timer of the next restart, so that a stop can cancel it.
  std::optional<Reactor::TimerId> exchange_restart_timer(std::optional<Reactor::TimerId> timer);
  /// While set, the end of a run neither removes nor restarts (the verb `restart` does both itself).
  void set_restarting_by_client(bool on);
  [[nodiscard]] bool restarting_by_client() const;

  /// How long to wait before the next restart: 100 ms, doubled each time up to a minute, from the
  /// beginning again after a run of ten seconds.
  std::chrono::milliseconds next_backoff(std::chrono::nanoseconds last_run);
  /// A client started it: what went before no longer counts.
  void reset_backoff();

  // -- attachments before the start ---------------------------------------------------------------
  /// False when the shim takes attachments by now: then `attachment` was left alone.
  bool add_pending(PendingAttachment& attachment);
  /// What is waiting. Empty means that from now on add_pending says false, until `set_run`.
  std::vector<PendingAttachment> take_pending();

  // -- waiting ------------------------------------------------------------------------------------
  /// The process has ended and what it used is free again, whether another run follows or not: as with docker, a wait is over then.
  void note_end(std::int64_t exit_code, const std::string& error);
  /// No other run follows by itself: who follows the log is told.
  void note_rest();
  /// A run is over and cleaned up, whether another follows or not.
  void note_run_over();
  void note_removed(const std::string& error = {});
  [[nodiscard]] std::uint64_t ends() const;
  [[nodiscard]] std::uint64_t runs_over() const;
  [[nodiscard]] bool removed() const;

  /// These wait for: an end after the `seen` first ones, a run over after them, the removal; nullopt
  /// and false when `stop` fired or `deadline` passed.
  std::optional<Ended> wait_end(std::uint64_t seen, std::stop_token stop);
  std::optional<Ended> wait_removed(std::stop_token stop);
  bool wait_run_over(std::uint64_t seen, std::optional<std::chrono::steady_clock::time_point> deadline);

  /// Its `finish` is called when the process has ended for good: at once if nothing runs.
  void add_follower(std::weak_ptr<LogFollower> follower);

  // -- execs --------------------------------------------------------------------------------------
  void put_exec(ExecRecord exec);
  [[nodiscard]] std::optional<ExecRecord> exec(const std::string& id) const;
  /// False when there is none of that id.
  bool update_exec(const std::string& id, base::FunctionRef<void(ExecRecord&)> change);
  [[nodiscard]] std::vector<ExecRecord> execs() const;
  void clear_execs();

 private:
  const std::string id_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  // Guarded by mutex_.
  std::shared_ptr<const Record> record_;
  std::shared_ptr<Run> run_;
  std::optional<Reactor::TimerId> restart_timer_;
  std::chrono::milliseconds backoff_{0};
  bool restarting_by_client_ = false;
  std::vector<std::weak_ptr<LogFollower>> followers_;
  bool shim_attaches_ = false;
  std::vector<PendingAttachment> pending_;
  Ended ended_;
  std::uint64_t runs_over_ = 0;
  bool removed_ = false;
  std::string removal_error_;
  std::map<std::string, ExecRecord> execs_;
};

using ContainerPtr = std::shared_ptr<Container>;

}  // namespace engine
