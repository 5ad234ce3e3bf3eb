#pragma once
/// One life of a container's process: the connection to its shim, and what the shim reports. Reports
/// come on the reactor's thread, which hands what takes time to the workers.

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>

#include "engine/containers/core.h"
#include "shim/client.h"

namespace engine {

class Run final : public shim::Observer, public ReadyHandler, public std::enable_shared_from_this<Run> {
 public:
  Run(Core& core, const ContainerPtr& container);
  ~Run() override;

  /// Gives it its connection and puts it into the reactor.
  base::Result<> watch(std::unique_ptr<shim::Client> client);
  [[nodiscard]] shim::Client& client() { return *client_; }

  /// The start failed: what the shim reports from here on is of no interest.
  void abandon();
  /// Ends a container that was created but does not run, and waits a while until the shim has left, so
  /// that nobody else is at work in its run directory.
  void leave();
  /// The process runs, so that from here on an end is an exit; one that was reported already is given.
  /// `record` writes that down: nobody finds the container running whose run has not begun, nor an exit
  /// before it.
  std::optional<shim::Exit> begin(base::FunctionRef<void()> record);
  [[nodiscard]] bool began() const;
  /// How it ended; while it runs, nothing.
  [[nodiscard]] std::optional<shim::Exit> exit() const;

  bool on_ready() override { return client_->on_readable(); }
  void on_exited(const shim::Exit& exit) override;
  void on_exec_exited(const std::string& exec, const shim::Exit& exit) override;
  void on_oom() override;
  void on_detached(const std::string& exec) override;
  void on_probe_started(const std::string& exec) override;
  void on_probe_ended(const std::string& exec, int code) override;
  void on_health(const shim::HealthReport& report) override;
  void on_lost() override;

 private:
  void over(const shim::Exit& exit);

  Core& core_;
  std::weak_ptr<Container> container_;
  std::unique_ptr<shim::Client> client_;
  mutable std::mutex mutex_;
  std::condition_variable gone_;
  // Guarded by mutex_.
  bool began_ = false, abandoned_ = false, lost_ = false;
  std::optional<shim::Exit> exit_;
};

}  // namespace engine
