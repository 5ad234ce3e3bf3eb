#include <algorithm>
#include <array>

#include "base/strings.h"
#include "engine/containers/health.h"
#include "engine/containers/links.h"
#include "engine/containers/networks.h"
#include "engine/containers/sizes.h"
#include "engine/containers/verbs.h"
#include "engine/filters.h"

namespace engine {
namespace {

using spec::api::ContainerSummary;

constexpr std::array<std::string_view, 15> kFilterNames = {
    "ancestor", "before", "exited", "id",    "isolation", "label",   "name",  "status",
    "health",   "since",  "volume", "network", "is-task", "publish", "expose"};

/// The filters whose values need a look-up or a parse, done once per list.
struct Prepared {
  std::vector<std::int64_t> exited;
  std::optional<base::Time> before, since;
  std::vector<std::string> ancestors;  // image ids, and names for those whose image is gone
};

base::Result<Prepared> prepare(Core& core, const Filters& filters) {
  TRY(check_filters(filters, kFilterNames));
  Prepared prepared;
  for (const std::string& value : filter_values(filters, "exited")) {
    const auto code = base::parse_int(value);
    if (!code) return base::invalid("invalid filter 'exited=" + value + "'");
    prepared.exited.push_back(*code);
  }
  for (const std::string& value : filter_values(filters, "status")) {
    if (!parse_state(value)) {
      return base::invalid("invalid filter 'status=" + value +
                           "': invalid value for container state (" + value +
                           "): must be one of created, running, paused, restarting, removing, exited, dead");
    }
  }
  for (const std::string& value : filter_values(filters, "health")) {
    constexpr std::array<std::string_view, 4> states = {"none", "starting", "healthy", "unhealthy"};
    if (std::ranges::find(states, value) == states.end()) {
      return base::invalid("invalid filter 'health=" + value +
                           "': invalid value for health status (" + value +
                           "): must be one of none, starting, healthy, unhealthy");
    }
  }
  for (const auto& [name, target] : {std::pair{"before", &prepared.before}, std::pair{"since", &prepared.since}}) {
    for (const std::string& value : filter_values(filters, name)) {
      *target = TRY(core.table.find(value))->record()->created;
    }
  }
  for (const std::string& value : filter_values(filters, "ancestor")) {
    const auto image = core.images.get(value);
    prepared.ancestors.push_back(image ? image->id.str() : value);
  }
  return prepared;
}

bool matches_port(const std::vector<std::string>& wanted, const std::vector<std::string>& ports) {
  // "80", "80/tcp", "8000-8080/udp"
  for (const std::string& value : wanted) {
    const auto parts = base::cut(value, "/");
    const std::string_view numbers = parts ? parts->first : std::string_view{value};
    const std::string_view protocol = parts ? parts->second : "tcp";
    const auto range = base::cut(numbers, "-");
    const auto first = base::parse_uint(range ? range->first : numbers);
    const auto last = range ? base::parse_uint(range->second) : first;
    if (!first || !last) continue;
    for (const std::string& port : ports) {
      const auto own = base::cut(port, "/");
      const auto number = base::parse_uint(own ? own->first : std::string_view{port});
      if (number && *number >= *first && *number <= *last && (own ? own->second : "tcp") == protocol) return true;
    }
  }
  return false;
}

bool passes(const Record& record, const Filters& filters, const Prepared& prepared) {
  if (!matches_pattern(filters, "id", record.id)) return false;
  if (!matches_pattern(filters, "name", record.name) && !matches_pattern(filters, "name", "/" + record.name)) return false;
  if (!matches_exactly(filters, "status", name_of(record.state))) return false;
  if (!matches_labels(filters, "label", record.config.labels.value_or(spec::api::Labels{}))) return false;
  if (!matches_exactly(filters, "health", record.health ? record.health->status : "none")) return false;
  if (!matches_exactly(filters, "isolation", record.host.isolation)) return false;
  if (has_filter(filters, "is-task") && !matches_exactly(filters, "is-task", "false") &&
      !matches_exactly(filters, "is-task", "0")) {
    return false;
  }
  if (!prepared.exited.empty()) {
    const bool over = record.state == State::Exited && record.finished;
    if (!over || std::ranges::find(prepared.exited, record.exit_code) == prepared.exited.end()) return false;
  }
  if (prepared.before && record.created >= *prepared.before) return false;
  if (prepared.since && record.created <= *prepared.since) return false;
  if (!prepared.ancestors.empty() &&
      std::ranges::find(prepared.ancestors, record.image_id) == prepared.ancestors.end() &&
      std::ranges::find(prepared.ancestors, record.config.image) == prepared.ancestors.end()) {
    return false;
  }
  if (const auto& volumes = filter_values(filters, "volume"); !volumes.empty()) {
    const bool any = std::ranges::any_of(record.mounts, [&](const MountRecord& mount) {
      return std::ranges::any_of(volumes, [&](const std::string& wanted) {
        return wanted == mount.name || wanted == mount.source || wanted == mount.destination;
      });
    });
    if (!any) return false;
  }
  if (const auto& exposed = filter_values(filters, "expose"); !exposed.empty()) {
    std::vector<std::string> ports;
    for (const auto& [port, none] : record.config.exposed_ports.value_or(spec::api::NameSet{})) ports.push_back(port);
    for (const auto& [port, list] : record.host.port_bindings.value_or(spec::api::PortMap{})) ports.push_back(port);
    if (!matches_port(exposed, ports)) return false;
  }
  return true;
}

/// Those that need the network's part.
bool passes_network(const ContainerSummary& summary, const Filters& filters) {
  if (const auto& networks = filter_values(filters, "network"); !networks.empty()) {
    const bool any = std::ranges::any_of(summary.network_settings.networks, [&](const auto& item) {
      return std::ranges::any_of(networks, [&](const std::string& wanted) {
        return wanted == item.first || (!wanted.empty() && item.second.network_id.starts_with(wanted));
      });
    });
    if (!any) return false;
  }
  if (const auto& published = filter_values(filters, "publish"); !published.empty()) {
    std::vector<std::string> ports;
    for (const spec::api::PortSummary& port : summary.ports) {
      if (port.public_port != 0) ports.push_back(std::to_string(port.public_port) + "/" + port.type);
    }
    if (!matches_port(published, ports)) return false;
  }
  return true;
}

std::vector<spec::api::PortSummary> port_summary(const spec::api::PortMap& ports) {
  std::vector<spec::api::PortSummary> result;
  for (const auto& [spec, bindings] : ports) {
    const auto parts = base::cut(spec, "/");
    spec::api::PortSummary port;
    port.private_port = static_cast<std::uint16_t>(base::parse_uint(parts ? parts->first : spec).value_or(0));
    port.type = parts ? parts->second : "tcp";
    if (!bindings || bindings->empty()) {
      result.push_back(std::move(port));
      continue;
    }
    for (const spec::api::PortBinding& binding : *bindings) {
      port.ip = binding.host_ip;
      port.public_port = static_cast<std::uint16_t>(base::parse_uint(binding.host_port).value_or(0));
      result.push_back(port);
    }
  }
  return result;
}

ContainerSummary summarize(Core& core, const Record& record, base::Time now) {
  ContainerSummary summary;
  summary.id = record.id;
  summary.names = {"/" + record.name};
  summary.image = record.config.image;
  summary.image_id = record.image_id;
  summary.command = command_text(record.config);
  summary.created = std::chrono::duration_cast<std::chrono::seconds>(record.created.time_since_epoch()).count();
  summary.labels = record.config.labels.value_or(spec::api::Labels{});
  summary.state = name_of(record.state);
  summary.status = status_text(record, now, health_status(record));
  summary.health = {.status = health_status(record)};
  if (record.health && has_process(record.state)) summary.health.failing_streak = record.health->failing_streak;
  summary.host_config.network_mode = record.host.network_mode;
  summary.host_config.annotations = record.host.annotations;
  auto network = network_settings(core, record);
  summary.ports = port_summary(network.ports);
  summary.network_settings.networks = std::move(network.networks);
  summary.mounts = mount_points(core, record);
  return summary;
}

}  // namespace

base::Result<Sizes> sizes_of(Core& core, const Record& record) {
  const auto own = TRY(core.snapshots.usage(record.id));
  Sizes sizes{.writable = static_cast<std::int64_t>(own.bytes)};
  const auto image = core.images.get(record.image_id);
  sizes.root = sizes.writable + (image ? static_cast<std::int64_t>(image->size) : 0);
  return sizes;
}

base::Result<std::vector<ContainerSummary>> list(Core& core, const ListOptions& options) {
  const Prepared prepared = TRY(prepare(core, options.filters));
  // A filter by state, and a number of containers, mean all of them.
  const bool all = options.all || options.limit > 0 || has_filter(options.filters, "status") ||
                   has_filter(options.filters, "exited");
  const base::Time now = base::now();
  const auto by_link = names_by_link(core);
  std::vector<ContainerSummary> result;
  for (const ContainerPtr& container : core.table.all()) {
    const auto record = container->record();
    if (!all && !counts_as_running(record->state)) continue;
    if (!passes(*record, options.filters, prepared)) continue;
    ContainerSummary summary = summarize(core, *record, now);
    if (!passes_network(summary, options.filters)) continue;
    for (auto [name, end] = by_link.equal_range(record->id); name != end; ++name) summary.names.push_back(name->second);
    if (options.size) {
      const Sizes sizes = TRY(sizes_of(core, *record));
      summary.size_rw = sizes.writable;
      summary.size_root_fs = sizes.root;
    }
    result.push_back(std::move(summary));
    if (options.limit > 0 && static_cast<int>(result.size()) >= options.limit) break;
  }
  return result;
}

}  // namespace engine
