#pragma once
/// The daemon's side of one container's shim.
///
/// A Client is one control connection. API threads call its methods, which send a request and wait
/// for its reply; the engine's reactor calls on_readable() when fd() is readable, which wakes them
/// and tells the Observer what happened. So a method called *on the reactor's thread* would wait for
/// itself: don't.
///
///   auto client = TRY(Client::launch(launch, observer));   // the shim is creating the container
///   reactor.add(client->fd(), …→ client->on_readable());
///   Cloned cloned = TRY(client->wait_cloned());            // wire the network into cloned.netns
///   TRY(client->wait_created());
///   TRY(client->attach(connection, attachment));           // any number, before the start
///   TRY(client->start());
///
/// Launch costs one vfork+exec and no wait: the shim works while the daemon goes on. The daemon may
/// die at any point; the next one calls read_exit() and, if there is none, adopt().
///
/// Errors: NotFound, InvalidArgument, Conflict … as the shim or the runtime gave them, in docker's
/// words; Unavailable when the shim is gone or does not answer in time. A stuck shim delays only the
/// callers of its own container.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/result.h"
#include "shim/protocol.h"
#include "sys/fd.h"

namespace shim {

/// Called on the thread that runs on_readable(), one at a time. Be quick: the reactor waits. Exits
/// are acknowledged to the shim when the call returns, and only then do the container's clients see
/// the end of their streams: record the new state in memory before you return.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_exited(const Exit& exit) = 0;
  virtual void on_exec_exited(const std::string& exec, const Exit& exit) = 0;
  virtual void on_oom() = 0;
  /// A client left with the detach keys; `exec` is "" for the container's own process.
  virtual void on_detached(const std::string& exec) = 0;
  /// A health check's process, named as an exec is.
  virtual void on_probe_started(const std::string& exec) = 0;
  virtual void on_probe_ended(const std::string& exec, int code) = 0;
  virtual void on_health(const HealthReport& report) = 0;
  /// The connection ended: the shim has left (after on_exited or a failed create, as it should) or
  /// was killed. Last call. Remove fd() from the reactor.
  virtual void on_lost() = 0;
};

/// What launch() needs.
struct Launch {
  std::string program;  ///< path of caisson-shim
  std::string dir;      ///< the run directory; made here (0700) if it is not there
  std::string config;   ///< text of config.json
  Options options;
  std::vector<std::string> environment;  ///< of the shim, "NAME=value"; it needs none
};

struct NewInit {
  int pid = 0;
  sys::UniqueFd netns;
};

class Client {
 public:
  /// Writes config.json and shim.json, removes what an earlier run left in `dir` and spawns the shim,
  /// which belongs to no session of the daemon's and is not its child. `observer` outlives the Client.
  static base::Result<std::unique_ptr<Client>> launch(const Launch& launch, Observer& observer);
  /// Connects to the shim that an earlier daemon launched. Errors: NotFound when none is there any
  /// more (then look at read_exit() again: it may just have left).
  static base::Result<std::unique_ptr<Client>> adopt(const std::string& dir, Observer& observer);
  ~Client();

  /// For the reactor: readable (level-triggered) when on_readable() has something to do.
  [[nodiscard]] int fd() const { return connection_.get(); }
  /// Handles what has come, without blocking. False once the connection has ended.
  bool on_readable();
  [[nodiscard]] bool lost() const;

  /// Only after launch().
  base::Result<NewInit> wait_cloned();
  base::Result<Created> wait_created();

  base::Result<Start::Reply> start();
  /// The shim gets a copy of `connection`: close yours after success. After an error it is untouched,
  /// so that the error can still be written to it.
  base::Result<> attach(const sys::UniqueFd& connection, const Attachment& attachment);
  /// `connection` (as for attach) only with `exec.attachment`, else an empty one.
  base::Result<Exec::Reply> exec(const Exec& exec, const sys::UniqueFd& connection);
  base::Result<> resize(const Resize& resize);
  base::Result<> signal(const Signal& signal);
  base::Result<> pause();
  base::Result<> resume();
  base::Result<> update(const codec::Json& resources);
  base::Result<> close_stdin(const std::string& exec);
  base::Result<GetState::Reply> state();
  base::Result<std::vector<int>> processes();
  base::Result<> shutdown();

  /// How long a reply may take; 30 s. Creation may take 120 s: a mount can be slow.
  void set_timeout(std::chrono::milliseconds timeout) { timeout_ = timeout; }

 private:
  class Exchange;
  Client(sys::UniqueFd connection, Observer& observer);

  template <class Request>
  base::Result<typename Request::Reply> call(const Request& request, const std::vector<int>& fds = {});
  void handle_event(std::string_view event, const codec::Json& body, std::vector<sys::UniqueFd> fds);

  sys::UniqueFd connection_;
  Observer& observer_;
  std::atomic<std::chrono::milliseconds> timeout_{std::chrono::seconds{30}};
  std::unique_ptr<Exchange> exchange_;
};

/// exit.json of the run directory; nullopt while the container has not exited.
base::Result<std::optional<Exit>> read_exit(const std::string& dir);
/// Execs that ended and that no daemon acknowledged.
base::Result<std::map<std::string, Exit>> read_exec_exits(const std::string& dir);

/// For a container whose shim is gone (nobody on shim.sock): if it was killed, kills the processes that
/// nobody supervises any more, removes cgroup, mounts and runtime state, and writes exit.json (code 137
/// and the reason). Says what it wrote, or what was there: then it costs next to nothing. Blocks up to
/// 10 s. A daemon that starts does this for every container that it can't adopt.
base::Result<Exit> bury(const std::string& dir);

}  // namespace shim
