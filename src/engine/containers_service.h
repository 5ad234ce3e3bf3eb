#pragma once
/// The containers and execs services: find the container, call the verb (containers/verb_*.cc). And what
/// other services ask about containers.

#include "engine/containers/core.h"
#include "engine/networks_service.h"
#include "engine/system_service.h"
#include "engine/volumes_service.h"

namespace engine {

/// The core outlives these services.
class ContainersService final : public Containers {
 public:
  explicit ContainersService(Core& core) : core_{core} {}

  base::Result<spec::api::CreateContainerResponse> create(const CreateOptions& options) override;
  base::Result<std::vector<spec::api::ContainerSummary>> list(const ListOptions& options) override;
  base::Result<spec::api::ContainerInspect> inspect(const std::string& ref, bool size) override;
  base::Result<> start(const std::string& ref, const std::string& detach_keys) override;
  base::Result<> stop(const std::string& ref, const StopOptions& options) override;
  base::Result<> restart(const std::string& ref, const StopOptions& options) override;
  base::Result<> kill(const std::string& ref, const std::string& signal) override;
  base::Result<> pause(const std::string& ref) override;
  base::Result<> unpause(const std::string& ref) override;
  base::Result<> rename(const std::string& ref, const std::string& name) override;
  base::Result<spec::api::StringList> update(const std::string& ref,
                                             const spec::api::UpdateRequest& request) override;
  base::Result<> remove(const std::string& ref, const RemoveOptions& options) override;
  base::Result<std::unique_ptr<Wait>> wait(const std::string& ref, WaitCondition condition) override;
  base::Result<std::unique_ptr<StreamTicket>> attach(const std::string& ref, const AttachOptions& options) override;
  base::Result<std::unique_ptr<LogReader>> logs(const std::string& ref, const LogOptions& options) override;
  base::Result<bool> has_tty(const std::string& ref) override;
  base::Result<> resize(const std::string& ref, unsigned rows, unsigned columns) override;
  base::Result<spec::api::TopResponse> top(const std::string& ref, const std::string& ps_args) override;
  base::Result<std::unique_ptr<StatsStream>> stats(const std::string& ref) override;
  base::Result<PruneReport> prune(const Filters& filters) override;

 private:
  Core& core_;
};

class ExecsService final : public Execs {
 public:
  explicit ExecsService(Core& core) : core_{core} {}

  base::Result<std::string> create(const std::string& container, const spec::api::ExecConfig& config) override;
  base::Result<spec::api::ExecInspect> inspect(const std::string& id) override;
  base::Result<> start_detached(const std::string& id) override;
  base::Result<std::unique_ptr<StreamTicket>> start(const std::string& id,
                                                    const spec::api::ExecStartRequest& request,
                                                    bool multiplexed) override;
  base::Result<> resize(const std::string& id, unsigned rows, unsigned columns) override;

 private:
  Core& core_;
};

/// What the other services ask.
class ContainerAnswers final : public image::ImageUsers,
                               public NetworkMembers,
                               public VolumeUsers,
                               public Inventory {
 public:
  explicit ContainerAnswers(Core& core) : core_{core} {}

  [[nodiscard]] std::vector<image::ImageUser> users_of(const base::Digest& image_id) const override;
  [[nodiscard]] std::vector<std::string> snapshot_owners() const override;
  base::Result<> join_network(const std::string& container, const net::Network& network,
                              const spec::api::EndpointSettings& settings) override;
  [[nodiscard]] std::string name_of(const std::string& container) const override;
  base::Result<> leave_network(const std::string& container, const net::Network& network, bool force) override;
  [[nodiscard]] std::vector<std::string> users_of_volume(const std::string& name) const override;
  [[nodiscard]] Counts counts() const override;

 private:
  Core& core_;
};

}  // namespace engine
