#pragma once
/// For tests: a real container under a real shim, and the daemon's part of its life.

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "logs/reader.h"
#include "shim/client.h"

namespace shim {

/// Remembers what the shim told; waits for it.
class Record final : public Observer {
 public:
  void on_exited(const Exit& exit) override;
  void on_exec_exited(const std::string& exec, const Exit& exit) override;
  void on_oom() override;
  void on_detached(const std::string& exec) override;
  void on_probe_started(const std::string& exec) override;
  void on_probe_ended(const std::string& exec, int code) override;
  void on_health(const HealthReport& report) override;
  void on_lost() override;

  /// As if nothing had been told yet.
  void reset();
  std::optional<Exit> wait_exit();
  std::optional<Exit> wait_exec_exit(const std::string& exec);
  bool wait_lost();
  bool wait_oom();
  bool wait_detached(const std::string& exec);
  /// The first report that `status` is in force, and what was told until then: "started", "ended 1",
  /// "starting", "healthy!" (with "!" where the status changed).
  std::optional<spec::api::Health> wait_health(const std::string& status);
  std::vector<std::string> health_told();

 private:
  template <class Condition>
  bool wait(Condition condition);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Exit> exit_;
  std::map<std::string, Exit> exec_exits_;
  std::vector<std::string> detached_;
  std::vector<std::string> health_told_;
  std::optional<spec::api::Health> health_;
  bool oom_ = false;
  bool lost_ = false;
};

/// What a daemon has of one container: its connection and the thread that serves it.
class Daemon {
 public:
  explicit Daemon(std::unique_ptr<Client> client);
  ~Daemon();
  Client& operator*() { return *client_; }
  Client* operator->() { return client_.get(); }

 private:
  std::unique_ptr<Client> client_;
  sys::UniqueFd stop_;
  std::thread reactor_;
};

/// The client's end of an attached connection.
class Terminal {
 public:
  Terminal();
  /// To be given to attach() or exec(), then closed.
  sys::UniqueFd remote;
  void send(std::string_view bytes) const;
  void end_input() const;
  /// Everything up to the end of the stream; a test failure after 20 s.
  std::string read_all();
  /// Until `text` has come.
  std::string read_until(std::string_view text);
  [[nodiscard]] int fd() const { return local_.get(); }
  void close() { local_.reset(); }

 private:
  sys::UniqueFd local_;
  std::string seen_;
};

/// The payload of docker's frames by stream; fails on a malformed one.
std::pair<std::string, std::string> unframe(std::string_view frames);

class TestContainer {
 public:
  /// `runtime`: "" or a program.
  explicit TestContainer(std::string runtime = {});
  TestContainer(const TestContainer&) = delete;
  TestContainer& operator=(const TestContainer&) = delete;
  ~TestContainer();

  /// Launches the shim. `script` runs in busybox's shell.
  void launch(const std::string& script);
  void launch_program(std::vector<std::string> argv);
  /// launch, wait_created, start.
  void run(const std::string& script);
  /// As a daemon that was killed and started anew.
  void forget_daemon() { daemon.reset(); }
  void adopt();
  Exec make_exec(const std::string& id, const std::string& script, bool tty = false) const;

  [[nodiscard]] std::vector<logs::Entry> log() const;
  /// Of one stream, joined.
  [[nodiscard]] std::string log_text(logs::Stream stream = logs::Stream::Stdout) const;
  [[nodiscard]] int shim_pid() const;
  [[nodiscard]] std::string run_dir() const { return directory_ + "/run"; }

  Options options;
  std::vector<std::string> environment;
  bool host_pids = false;
  int user = 0;
  std::string memory_limit;
  Record record;
  std::optional<Daemon> daemon;

 private:
  [[nodiscard]] codec::Json config(const std::vector<std::string>& argv) const;
  std::string directory_;
};

}  // namespace shim
