#include "engine/containers/config_changes.h"

#include <algorithm>

#include "base/log.h"
#include "base/strings.h"
#include "engine/config_merge.h"
#include "engine/containers/image_mounts.h"
#include "engine/containers/mounts.h"
#include "engine/containers/networks.h"
#include "engine/containers/volumes.h"
#include "sys/file.h"

namespace engine {
namespace {

using spec::api::PortMap;
using spec::api::StringList;

std::string with_protocol(const std::string& port) {
  return port.find('/') == std::string::npos ? port + "/tcp" : port;
}

base::Result<> change_ports(Record& record, const spec::api::ConfigChanges& changes) {
  const PortMap add = changes.publish_add.value_or(PortMap{});
  const StringList remove = changes.publish_remove.value_or(StringList{});
  if (add.empty() && remove.empty()) return {};
  if (!has_endpoints(record)) {
    return base::invalid("conflicting options: port publishing and the network mode " + record.host.network_mode);
  }
  PortMap ports = record.host.port_bindings.value_or(PortMap{});
  for (const std::string& port : remove) {
    if (ports.erase(with_protocol(port)) == 0) {
      return base::not_found("No public port '" + with_protocol(port) + "' published for " + record.name);
    }
  }
  spec::api::NameSet exposed = record.config.exposed_ports.value_or(spec::api::NameSet{});
  for (const auto& [port, bindings] : add) {
    auto& list = ports[with_protocol(port)];
    if (!list) list.emplace();
    const std::vector<spec::api::PortBinding> any{{}};
    const auto& more = bindings && !bindings->empty() ? *bindings : any;
    list->insert(list->end(), more.begin(), more.end());
    exposed[with_protocol(port)];
  }
  record.host.port_bindings = std::move(ports);
  if (!add.empty()) record.config.exposed_ports = std::move(exposed);
  TRY(published_ports(record));
  return {};
}

base::Result<> change_labels(Record& record, const spec::api::ConfigChanges& changes) {
  spec::api::Labels labels = record.config.labels.value_or(spec::api::Labels{});
  for (const std::string& key : changes.label_remove.value_or(StringList{})) {
    if (labels.erase(key) == 0) return base::not_found("no label " + base::quoted(key) + " on " + record.name);
  }
  for (const auto& [key, value] : changes.label_add.value_or(spec::api::Labels{})) {
    if (key.empty()) return base::invalid("invalid label '=" + value + "': empty name");
    labels[key] = value;
  }
  if (changes.label_add || changes.label_remove) record.config.labels = std::move(labels);
  return {};
}

base::Result<> change_environment(Record& record, const spec::api::ConfigChanges& changes) {
  StringList env = record.config.env.value_or(StringList{});
  for (const std::string& key : changes.env_remove.value_or(StringList{})) {
    const auto gone = std::erase_if(env, [&](const std::string& entry) { return entry.substr(0, entry.find('=')) == key; });
    if (gone == 0) return base::not_found("no variable " + base::quoted(key) + " in the environment of " + record.name);
  }
  const StringList add = changes.env_add.value_or(StringList{});
  for (const std::string& entry : add) {
    const auto equals = entry.find('=');
    if (equals == 0 || equals == std::string::npos) return base::invalid("invalid environment variable: " + entry);
    if (entry.find('\0') != std::string::npos) return base::invalid("invalid environment variable: a NUL byte in it");
  }
  apply_env(env, add);
  if (changes.env_add || changes.env_remove) record.config.env = std::move(env);
  return {};
}

base::Result<> remove_mount(Record& record, const std::string& target) {
  const auto path = [](const std::string& text) { return base::split_words(text, '/'); };
  const auto there = std::ranges::find_if(record.mounts, [&](const MountRecord& mount) {
    return path(mount.destination) == path(target);
  });
  if (there == record.mounts.end()) return base::not_found("no mount at " + target + " in " + record.name);
  record.mounts.erase(there);
  if (record.host.mounts) {
    std::erase_if(*record.host.mounts, [&](const spec::api::Mount& mount) { return path(mount.target) == path(target); });
  }
  if (record.host.binds) {
    std::erase_if(*record.host.binds, [&](const std::string& text) {
      const auto bind = parse_bind(text);
      return bind && path(bind->destination) == path(target);
    });
  }
  if (record.host.tmpfs) {
    std::erase_if(*record.host.tmpfs, [&](const auto& item) { return path(item.first) == path(target); });
  }
  return {};
}

base::Result<> add_mount(Record& record, const spec::api::Mount& asked) {
  MountRecord mount = TRY(parse_mount(asked));
  if (mount.type == "volume" && mount.name.empty()) {
    return base::invalid("invalid mount config for type \"volume\": a volume for a container that exists needs a name");
  }
  const bool taken = std::ranges::find(record.mounts, mount.destination, &MountRecord::destination) != record.mounts.end();
  if (taken) return base::invalid("Duplicate mount point: " + mount.destination);
  TRY(to_oci(mount));  // checks tmpfs options
  record.mounts.push_back(std::move(mount));
  if (!record.host.mounts) record.host.mounts.emplace();
  record.host.mounts->push_back(asked);
  return {};
}

}  // namespace

base::Result<> change_config(Core& core, Record& record, const spec::api::ConfigChanges& changes) {
  TRY(change_ports(record, changes));
  TRY(change_labels(record, changes));
  TRY(change_environment(record, changes));
  for (const std::string& target : changes.mount_remove.value_or(StringList{})) TRY(remove_mount(record, target));
  for (const spec::api::Mount& mount : changes.mount_add.value_or(std::vector<spec::api::Mount>{})) {
    TRY(add_mount(record, mount));
    TRY(check_bind_source(mount));
  }
  TRY(resolve_image_mounts(core, record));
  return {};
}

AppliedChanges::~AppliedChanges() {
  if (endpoint_) {
    if (const auto back = core_.network.set_ports(endpoint_->id, endpoint_->ports); !back) {
      base::log::error("container {}: its ports are not as they were: {}", endpoint_->container.str(),
                       back.error().message());
    }
  }
  drop_new_volumes(core_, volumes_);
}

void AppliedChanges::keep() {
  endpoint_.reset();
  volumes_.clear();
}

base::Result<> AppliedChanges::publish_ports(const Record& after) {
  const std::string main = main_network(after);
  for (const net::Endpoint& endpoint : core_.network.endpoints_of(base::ContainerId{after.id})) {
    const std::string* key = network_key(after, endpoint.network_name, endpoint.network);
    if (key == nullptr || *key != main) continue;
    TRY(core_.network.set_ports(endpoint.id, TRY(published_ports(after))));
    endpoint_ = endpoint;
  }
  return {};
}

base::Result<AppliedChanges> apply_changes(Core& core, const Record& before, const Record& after, StringList& warnings) {
  const auto differs = [](const auto& a, const auto& b) { return codec::to_json(a).dump() != codec::to_json(b).dump(); };
  const bool mounts_differ = differs(before.mounts, after.mounts);
  AppliedChanges applied{core, mounts_differ ? TRY(make_volumes(core, after)) : std::vector<volume::Volume>{}};
  if (!has_process(before.state)) return applied;
  if (differs(before.host.port_bindings, after.host.port_bindings)) TRY(applied.publish_ports(after));
  if (differs(before.config.env, after.config.env)) {
    warnings.push_back("The environment of container " + before.name + " changes with its next start.");
  }
  if (mounts_differ) warnings.push_back("The mounts of container " + before.name + " change with its next start.");
  return applied;
}

}  // namespace engine
