#include "engine/containers_service.h"

#include <algorithm>

#include "base/log.h"
#include "engine/containers/links.h"
#include "engine/containers/networks.h"
#include "engine/containers/verbs.h"

namespace engine {

using base::Result;

Result<spec::api::CreateContainerResponse> ContainersService::create(const CreateOptions& options) {
  return engine::create(core_, options);
}
Result<std::vector<spec::api::ContainerSummary>> ContainersService::list(const ListOptions& options) {
  return engine::list(core_, options);
}
Result<spec::api::ContainerInspect> ContainersService::inspect(const std::string& ref, bool size) {
  return engine::inspect(core_, TRY(core_.table.find(ref)), size);
}
Result<> ContainersService::start(const std::string& ref, const std::string& /*detach_keys*/) {
  return engine::start(core_, TRY(core_.table.find(ref)));
}
Result<> ContainersService::stop(const std::string& ref, const StopOptions& options) {
  return engine::stop(core_, TRY(core_.table.find(ref)), options);
}
Result<> ContainersService::restart(const std::string& ref, const StopOptions& options) {
  return engine::restart(core_, TRY(core_.table.find(ref)), options);
}
Result<> ContainersService::kill(const std::string& ref, const std::string& signal) {
  const ContainerPtr container = TRY(core_.table.find(ref));
  auto killed = engine::kill(core_, container, signal);
  if (killed || killed.error().is(base::ErrorKind::InvalidArgument)) return killed;
  return std::move(killed).context("cannot kill container: " + ref);
}
Result<> ContainersService::pause(const std::string& ref) { return engine::pause(core_, TRY(core_.table.find(ref))); }
Result<> ContainersService::unpause(const std::string& ref) {
  return engine::unpause(core_, TRY(core_.table.find(ref)));
}
Result<> ContainersService::rename(const std::string& ref, const std::string& name) {
  return engine::rename(core_, TRY(core_.table.find(ref)), name);
}
Result<spec::api::StringList> ContainersService::update(const std::string& ref,
                                                       const spec::api::UpdateRequest& request) {
  return engine::update(core_, TRY(core_.table.find(ref)), request);
}
Result<> ContainersService::remove(const std::string& ref, const RemoveOptions& options) {
  if (options.link) return remove_link(core_, ref);
  return engine::remove(core_, TRY(core_.table.find(ref)), options);
}
Result<std::unique_ptr<Wait>> ContainersService::wait(const std::string& ref, WaitCondition condition) {
  return engine::wait(core_, TRY(core_.table.find(ref)), condition);
}
Result<std::unique_ptr<StreamTicket>> ContainersService::attach(const std::string& ref, const AttachOptions& options) {
  return engine::attach(core_, TRY(core_.table.find(ref)), options);
}
Result<std::unique_ptr<LogReader>> ContainersService::logs(const std::string& ref, const LogOptions& options) {
  return engine::logs(core_, TRY(core_.table.find(ref)), options);
}
Result<bool> ContainersService::has_tty(const std::string& ref) {
  return TRY(core_.table.find(ref))->record()->config.tty;
}
Result<> ContainersService::resize(const std::string& ref, unsigned rows, unsigned columns) {
  return engine::resize(core_, TRY(core_.table.find(ref)), rows, columns);
}
Result<spec::api::TopResponse> ContainersService::top(const std::string& ref, const std::string& ps_args) {
  return engine::top(core_, TRY(core_.table.find(ref)), ps_args);
}
Result<std::unique_ptr<StatsStream>> ContainersService::stats(const std::string& ref) {
  return engine::stats(core_, TRY(core_.table.find(ref)));
}
Result<PruneReport> ContainersService::prune(const Filters& filters) { return engine::prune(core_, filters); }

Result<std::string> ExecsService::create(const std::string& container, const spec::api::ExecConfig& config) {
  return create_exec(core_, TRY(core_.table.find(container)), config);
}
Result<spec::api::ExecInspect> ExecsService::inspect(const std::string& id) {
  return inspect_exec(core_, TRY(core_.table.container_of_exec(id)), id);
}
Result<> ExecsService::start_detached(const std::string& id) {
  return start_exec_detached(core_, TRY(core_.table.container_of_exec(id)), id);
}
Result<std::unique_ptr<StreamTicket>> ExecsService::start(const std::string& id,
                                                          const spec::api::ExecStartRequest& request,
                                                          bool multiplexed) {
  return start_exec(core_, TRY(core_.table.container_of_exec(id)), id, request, multiplexed);
}
Result<> ExecsService::resize(const std::string& id, unsigned rows, unsigned columns) {
  return resize_exec(core_, TRY(core_.table.container_of_exec(id)), id, rows, columns);
}

std::vector<image::ImageUser> ContainerAnswers::users_of(const base::Digest& image_id) const {
  std::vector<image::ImageUser> users;
  for (const ContainerPtr& container : core_.table.all()) {
    const auto record = container->record();
    const bool mounts_it = std::ranges::find(record->mounts, image_id.str(), &MountRecord::image_id) != record->mounts.end();
    if (record->image_id == image_id.str() || mounts_it) users.push_back({record->id, counts_as_running(record->state)});
  }
  return users;
}

std::vector<std::string> ContainerAnswers::snapshot_owners() const {
  std::vector<std::string> ids;
  for (const ContainerPtr& container : core_.table.all()) ids.push_back(container->id());
  return ids;
}

Result<> ContainerAnswers::join_network(const std::string& container, const net::Network& network,
                                        const spec::api::EndpointSettings& settings) {
  return engine::join_network(core_, TRY(core_.table.find(container)), network, settings);
}
Result<> ContainerAnswers::leave_network(const std::string& container, const net::Network& network, bool force) {
  return engine::leave_network(core_, TRY(core_.table.find(container)), network, force);
}

std::string ContainerAnswers::name_of(const std::string& container) const {
  const auto found = core_.table.find(container);
  return found ? (*found)->record()->name : std::string{};
}

std::vector<std::string> ContainerAnswers::users_of_volume(const std::string& name) const {
  std::vector<std::string> users;
  for (const ContainerPtr& container : core_.table.all()) {
    const auto record = container->record();
    for (const MountRecord& mount : record->mounts) {
      if (mount.type != "volume" || mount.name != name) continue;
      users.push_back(record->id);
      break;
    }
  }
  return users;
}

Inventory::Counts ContainerAnswers::counts() const {
  Counts counts;
  for (const ContainerPtr& container : core_.table.all()) {
    switch (container->state()) {
      case State::Paused: ++counts.paused; break;
      case State::Running:
      case State::Restarting: ++counts.running; break;
      default: ++counts.stopped;
    }
  }
  if (const auto images = core_.images.count()) {
    counts.images = static_cast<std::int64_t>(*images);
  } else {
    base::log::warn("info: {}", images.error().message());
  }
  return counts;
}

}  // namespace engine
