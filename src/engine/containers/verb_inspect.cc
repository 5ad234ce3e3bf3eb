#include <algorithm>

#include "engine/config_merge.h"
#include "engine/containers/launch.h"
#include "engine/containers/links.h"
#include "engine/containers/mounts.h"
#include "engine/containers/networks.h"
#include "engine/containers/sizes.h"
#include "engine/containers/verbs.h"

namespace engine {
namespace {

spec::api::DriverData graph_driver(Core& core, const Record& record) {
  spec::api::DriverData data{.name = record.snapshotter};
  const auto mounts = core.snapshots.mounts(record.id);
  if (!mounts) return data;
  data.data.emplace();
  if (mounts->is_overlay()) {
    std::string lowers;
    for (const std::string& lower : mounts->lowers) lowers += (lowers.empty() ? "" : ":") + lower;
    (*data.data)["LowerDir"] = lowers;
    (*data.data)["UpperDir"] = mounts->upper;
    (*data.data)["WorkDir"] = mounts->work;
  } else {
    (*data.data)["Dir"] = mounts->upper;
  }
  return data;
}

}  // namespace

std::vector<spec::api::MountPoint> mount_points(Core& core, const Record& record) {
  std::vector<spec::api::MountPoint> points;
  for (const MountRecord& mount : record.mounts) {
    // Those of --tmpfs stand in HostConfig.Tmpfs only.
    if (mount.type == "tmpfs" && record.host.tmpfs && record.host.tmpfs->contains(mount.destination)) continue;
    auto point = to_api(mount);
    if (mount.type == "volume") {
      if (const auto volume = core.volumes.get(mount.name)) point.source = volume->mountpoint;
    }
    points.push_back(std::move(point));
  }
  return points;
}

base::Result<spec::api::ContainerInspect> inspect(Core& core, const ContainerPtr& container, bool size) {
  const auto record = container->record();
  spec::api::ContainerInspect answer;
  answer.id = record->id;
  answer.created = base::to_rfc3339(record->created);
  const auto command = command_line(record->config);
  if (!command.empty()) {
    answer.path = command.front();
    answer.args.assign(command.begin() + 1, command.end());
  }
  answer.state = state_of(*record);
  answer.image = record->image_id;
  const auto owner = network_owner(core, *record);
  const std::string files = core.names_dir(owner ? (*owner)->id : record->id);
  if (record->started || !record->error.empty()) {
    answer.resolv_conf_path = files + "/resolv.conf";
    answer.hostname_path = files + "/hostname";
    answer.hosts_path = files + "/hosts";
  }
  if (record->host.log_config.type == "json-file") answer.log_path = record->started ? core.log_path(record->id) : "";
  answer.name = "/" + record->name;
  answer.restart_count = record->restart_count;
  answer.driver = record->snapshotter;
  answer.platform = record->platform;
  if (core.facts.apparmor && !record->host.privileged) answer.app_armor_profile = "unconfined";
  spec::api::StringList execs;
  for (const ExecRecord& exec : container->execs()) {
    if (exec.running) execs.push_back(exec.id);
  }
  if (!execs.empty()) answer.exec_ids = std::move(execs);
  answer.host_config = record->host;
  if (auto links = shown_links(core, *record); !links.empty()) answer.host_config.links = std::move(links);
  answer.graph_driver = graph_driver(core, *record);
  answer.mounts = mount_points(core, *record);
  answer.config = record->config;
  answer.network_settings = network_settings(core, *record);
  if (size) {
    const Sizes sizes = TRY(sizes_of(core, *record));
    answer.size_rw = sizes.writable;
    answer.size_root_fs = sizes.root;
  }
  return answer;
}

}  // namespace engine
