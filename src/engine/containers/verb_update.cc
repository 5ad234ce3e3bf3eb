#include "engine/containers/verbs.h"
#include "engine/containers/config_changes.h"
#include "engine/host_config.h"
#include "sys/crash_point.h"

namespace engine {
namespace {

using spec::api::Resources;

/// Docker's words for limits that exclude each other and were not given together.
base::Result<> check_conflicts(const Resources& now, const Resources& asked) {
  const auto conflict = [](const char* text) { return base::conflict(text); };
  if (asked.nano_cpus > 0 && now.cpu_period > 0) {
    return conflict("Conflicting options: Nano CPUs cannot be updated as CPU Period has already been set");
  }
  if (asked.nano_cpus > 0 && now.cpu_quota > 0) {
    return conflict("Conflicting options: Nano CPUs cannot be updated as CPU Quota has already been set");
  }
  if (asked.cpu_period > 0 && now.nano_cpus > 0) {
    return conflict("Conflicting options: CPU Period cannot be updated as NanoCPUs has already been set");
  }
  if (asked.cpu_quota > 0 && now.nano_cpus > 0) {
    return conflict("Conflicting options: CPU Quota cannot be updated as NanoCPUs has already been set");
  }
  if (asked.memory != 0 && asked.memory_swap == 0 && now.memory_swap > 0 && asked.memory > now.memory_swap) {
    return conflict(
        "Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time");
  }
  return {};
}

/// What was given goes over what is there; zero and "" are not given.
void lay_over(Resources& target, const Resources& asked) {
  const auto put = [&](auto Resources::*field) {
    if (asked.*field != std::remove_cvref_t<decltype(asked.*field)>{}) target.*field = asked.*field;
  };
  put(&Resources::blkio_weight);
  put(&Resources::cpu_shares);
  put(&Resources::nano_cpus);
  put(&Resources::cpu_period);
  put(&Resources::cpu_quota);
  put(&Resources::cpu_realtime_period);
  put(&Resources::cpu_realtime_runtime);
  put(&Resources::cpuset_cpus);
  put(&Resources::cpuset_mems);
  put(&Resources::memory);
  put(&Resources::memory_swap);
  put(&Resources::memory_reservation);
  if (asked.pids_limit) target.pids_limit = asked.pids_limit;
}

/// Of `whole` only what was asked for, and what must change with it.
Resources part_of(const Resources& whole, const Resources& asked) {
  Resources part;
  lay_over(part, asked);
  if (part.memory != 0) part.memory = whole.memory;
  if (part.memory != 0 || part.memory_swap != 0) part.memory_swap = whole.memory_swap;
  if (part.cpu_shares != 0) part.cpu_shares = whole.cpu_shares;
  return part;
}

bool is_nothing(const Resources& asked) {
  Resources empty;
  lay_over(empty, asked);
  return codec::to_json(empty).dump() == codec::to_json(Resources{}).dump();
}

}  // namespace

base::Result<spec::api::StringList> update(Core& core, const ContainerPtr& container,
                                           const spec::api::UpdateRequest& request) {
  const std::lock_guard verb{container->verbs};
  const auto before = container->record();
  const auto intent = [&](base::Error error) { return std::move(error).context("Cannot update container " + before->id); };
  if (container->removed()) return base::not_found("No such container: " + before->id);
  if (before->state == State::Removing || before->state == State::Dead) {
    return intent(base::conflict("container is marked for removal and cannot be \"update\""));
  }
  if (auto checked = check_conflicts(before->host.resources, request.resources); !checked) {
    return intent(std::move(checked).error());
  }
  spec::api::StringList warnings;
  spec::api::HostConfig host = before->host;
  lay_over(host.resources, request.resources);
  TRY(settle_resources(host.resources, core.facts, warnings));
  if (!request.restart_policy.name.empty()) {
    host.restart_policy = request.restart_policy;
    TRY(check_restart_policy({.restart_policy = request.restart_policy}));
    if (host.auto_remove && host.restart_policy.name != "no") {
      return intent(base::conflict("Restart policy cannot be updated because AutoRemove is enabled for the container"));
    }
  }
  Record changed = *before;
  changed.host.resources = host.resources;
  changed.host.restart_policy = host.restart_policy;
  TRY(change_config(core, changed, request.changes));
  auto applied = TRY(apply_changes(core, *before, changed, warnings));
  if (has_process(before->state) && !is_nothing(request.resources)) {
    const auto limits = TRY(oci::limits_of(part_of(host.resources, request.resources), core.facts));
    const auto run = running(container);
    auto done = run ? (*run)->client().update(codec::to_json(limits)) : base::Result<>{run.error()};
    // One that has ended meanwhile gets them at its next start.
    if (!done && !done.failed_as(base::ErrorKind::Conflict)) return intent(std::move(done).error().as(base::ErrorKind::Internal));
  }
  CRASH_POINT("engine.update.applied");
  const auto put = [&](const Record& from) {
    return container->update([&](Record& record) {
      record.host = from.host;
      record.config = from.config;
      record.mounts = from.mounts;
    });
  };
  const auto now = put(changed);
  if (auto saved = save(core, *now); !saved) {
    put(*before);  // what the row says
    return intent(std::move(saved).error());
  }
  applied.keep();
  publish(core, *now, "update");
  return warnings;
}

}  // namespace engine
