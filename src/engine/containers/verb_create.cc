#include <algorithm>

#include "base/id.h"
#include "base/scope_guard.h"
#include "engine/config_merge.h"
#include "engine/containers/endpoint_checks.h"
#include "engine/containers/image_mounts.h"
#include "engine/containers/launch.h"
#include "engine/containers/links.h"
#include "engine/containers/mounts.h"
#include "engine/containers/networks.h"
#include "engine/containers/verbs.h"
#include "engine/containers/volumes.h"
#include "engine/names.h"
#include "net/hosts.h"
#include "spec/reference.h"
#include "sys/crash_point.h"
#include "sys/file.h"

namespace engine {
namespace {

using spec::api::StringList;
constexpr unsigned kNameAttempts = 64;

/// The wanted name or a random one, reserved.
base::Result<std::string> take_name(Core& core, const std::string& wanted, const std::string& id) {
  if (!wanted.empty()) {
    const std::string name = TRY(check_name(wanted));
    TRY(core.table.reserve_name(name, id));
    return name;
  }
  for (unsigned attempt = 0; attempt < kNameAttempts; ++attempt) {
    const std::string name = random_name(attempt);
    if (core.table.reserve_name(name, id)) return name;
  }
  TRY(core.table.reserve_name(id.substr(0, 12), id));
  return id.substr(0, 12);
}

base::Result<> check_platform(const CreateOptions& options, const image::Image& image) {
  if (options.platform.empty()) return {};
  const auto wanted = TRY(spec::Platform::parse(options.platform));
  const auto has = image.config.platform();
  if (wanted.os == has.os && wanted.architecture == has.architecture &&
      (wanted.variant.empty() || has.variant.empty() || wanted.variant == has.variant)) {
    return {};
  }
  return base::not_found("image with reference " + options.request.config.image + " was found but its platform (" +
                         has.str() + ") does not match the specified platform (" + wanted.str() + ")");
}

/// Who asked for the platform knows.
void warn_of_foreign_platform(const CreateOptions& options, const image::Image& image, StringList& warnings) {
  const auto has = image.config.platform();
  const auto host = spec::Platform::host();
  if (!options.platform.empty() || has.architecture.empty() ||
      (has.os == host.os && (has.architecture == host.architecture ||
                             (has.architecture == "386" && host.architecture == "amd64")))) {
    return;
  }
  warnings.push_back("The requested image's platform (" + has.str() + ") does not match the detected host platform (" +
                     host.str() + ") and no specific platform was requested");
}

base::Result<std::vector<InheritedMounts>> inherited_mounts(Core& core, const spec::api::HostConfig& host) {
  std::vector<InheritedMounts> inherited;
  for (const std::string& text : host.volumes_from.value_or(StringList{})) {
    const auto [ref, mode] = TRY(parse_volumes_from(text));
    const auto other = core.table.find(ref);
    // Not "not found": a client would pull the image then.
    if (!other) return base::Error{other.error()}.as(base::ErrorKind::InvalidArgument);
    inherited.push_back({(*other)->record()->mounts, mode});
  }
  return inherited;
}

std::map<std::string, spec::api::EndpointSettings> asked_networks(const Record& record,
                                                                  const spec::api::NetworkingConfig& config) {
  std::map<std::string, spec::api::EndpointSettings> networks;
  for (const auto& [name, settings] : config.endpoints_config) {
    networks[name == "default" ? "bridge" : name] = settings.value_or(spec::api::EndpointSettings{});
  }
  if (joined_container(record.host.network_mode).empty()) networks[record.host.network_mode];
  if (record.host.network_mode == "host" || record.host.network_mode == "none") {
    std::erase_if(networks, [&](const auto& item) { return item.first != record.host.network_mode; });
  }
  return networks;
}

/// What can be known to be wrong before anything is made.
base::Result<> check(Core& core, const Record& record) {
  TRY(check_log_config(core, record));
  if (has_endpoints(record)) TRY(published_ports(record));
  for (const std::string& entry : record.host.extra_hosts.value_or(StringList{})) {
    TRY(net::parse_extra_host(entry, "0.0.0.0"));
  }
  for (const auto& [name, settings] : record.networks) {
    TRY(check_endpoint(core.network, name, settings));
  }
  const auto& mounts = record.host.mounts;
  for (const spec::api::Mount& mount : mounts.value_or(std::vector<spec::api::Mount>{})) TRY(check_bind_source(mount));
  return {};
}

base::Result<Record> describe_container(Core& core, const CreateOptions& options, const image::Image& image,
                                        StringList& warnings) {
  Record record;
  record.id = base::random_id();
  record.image_id = image.id.str();
  record.snapshotter = core.snapshots.name();
  record.config = options.request.config;
  record.host = options.request.host_config;
  TRY(merge_image_config(record.config, image.config.config));
  warnings = TRY(settle_host_config(record.config, record.host, core.facts, core.live.now()->host_defaults));
  if (record.config.hostname.empty()) {
    record.config.hostname = record.host.network_mode == "host" || record.host.uts_mode == "host"
                                 ? core.facts.hostname
                                 : record.id.substr(0, 12);
  }
  record.links = TRY(resolve_links(core, record));
  record.networks = asked_networks(record, options.request.networking_config);
  const auto inherited = TRY(inherited_mounts(core, record.host));
  record.mounts = TRY(collect_mounts(record.config, record.host, inherited));
  TRY(resolve_image_mounts(core, record));
  TRY(check(core, record));
  return record;
}

}  // namespace

base::Result<spec::api::CreateContainerResponse> create(Core& core, const CreateOptions& options) {
  if (!options.name.empty()) TRY(check_name(options.name));
  // Held until the snapshot on it exists, so that nobody removes the image in between.
  const image::Hold hold = TRY(core.images.hold(options.request.config.image, options.platform));
  TRY(check_platform(options, hold.image()));
  spec::api::CreateContainerResponse answer;
  Record record = TRY(describe_container(core, options, hold.image(), answer.warnings));
  warn_of_foreign_platform(options, hold.image(), answer.warnings);

  record.name = TRY(take_name(core, options.name, record.id));
  base::ScopeGuard free_name{[&] { core.table.release_name(record.name); }};
  TRY(note_volumes(core, record));
  base::ScopeGuard forget_volumes{[&] { forget_noted_volumes(core, record); }};
  const auto volumes = TRY(make_volumes(core, record));
  base::ScopeGuard drop_volumes{[&] { drop_new_volumes(core, volumes); }};
  CRASH_POINT("engine.create.volumes");
  TRY(core.snapshots.prepare(record.id, hold.image().top_layer));
  base::ScopeGuard drop_snapshot{[&] {
    base::ignore(core.snapshots.remove(record.id), "the next start collects what has no record");
  }};
  CRASH_POINT("engine.create.snapshot");
  TRY(fill_volumes(core, record));
  TRY(sys::make_dirs(sys::kCwd, core.data_dir(record.id), 0710));
  base::ScopeGuard drop_files{[&] {
    base::ignore(sys::remove_tree(sys::kCwd, core.data_dir(record.id)), "collected by the next start, too");
  }};
  CRASH_POINT("engine.create.files");
  record.created = base::now();
  TRY(insert(core, record));
  CRASH_POINT("engine.create.recorded");
  core.table.add(std::make_shared<Container>(record));
  drop_files.release();
  drop_snapshot.release();
  drop_volumes.release();
  free_name.release();
  publish(core, record, "create");
  answer.id = record.id;
  return answer;
}

}  // namespace engine
