#include "engine/containers/neighbours.h"

#include <algorithm>
#include <set>

#include "base/log.h"
#include "engine/containers/core.h"
#include "engine/containers/links.h"
#include "sys/file.h"
#include "sys/storage.h"

namespace engine {
namespace {

using spec::api::StringList;

constexpr std::size_t kLargestHosts = std::size_t{1} << 20U;  // what a container may have made of the file

void add_name(StringList& names, const std::string& name) {
  if (!name.empty() && std::ranges::find(names, name) == names.end()) names.push_back(name);
}

/// What everybody in the network may call the container.
StringList names_in(const Record& record, const net::Endpoint& endpoint) {
  StringList names;
  add_name(names, record.name);
  if (const std::string* key = network_key(record, endpoint.network_name, endpoint.network)) {
    for (const std::string& alias : record.networks.at(*key).aliases.value_or(StringList{})) add_name(names, alias);
  }
  const StringList plain = names;
  add_name(names, record.id.substr(0, 12));
  for (const std::string& name : plain) add_name(names, name + "." + endpoint.network_name);
  return names;
}

/// --link on a network of the user's: one more name, for this container alone.
void add_link_names(Core& core, const spec::api::EndpointSettings& settings, const Record& other, StringList& names) {
  for (const std::string& text : settings.links.value_or(StringList{})) {
    const auto link = parse_link(text);
    if (!link) continue;  // create has refused it
    const auto target = core.table.find(link->target);
    if (target && (*target)->id() == other.id) add_name(names, link->alias);
  }
}

void add_network(Core& core, const Record& record, const net::Endpoint& own, std::vector<net::Neighbour>& list) {
  static const spec::api::EndpointSettings kNone;
  const std::string* key = network_key(record, own.network_name, own.network);
  const spec::api::EndpointSettings& settings = key != nullptr ? record.networks.at(*key) : kNone;
  for (const net::Endpoint& endpoint : core.network.endpoints_in(own.network)) {
    const auto other = core.table.find(endpoint.container.str());
    if (!other) continue;
    const auto theirs = (*other)->record();
    StringList names = names_in(*theirs, endpoint);
    add_link_names(core, settings, *theirs, names);
    list.push_back({endpoint.address.str(), std::move(names)});
  }
}

bool is_linked_with(const Record& record, const std::string& id) {
  return std::ranges::find(record.links, id, &LinkRecord::container) != record.links.end();
}

/// In one write and without a moment in which the file is empty.
base::Result<> write_in_place(const std::string& path, const std::vector<net::Neighbour>& neighbours) {
  const auto file = TRY(sys::open_at(sys::kCwd, path, O_RDWR | O_NOFOLLOW));
  const std::string before = TRY(sys::read_to_end(file.get(), kLargestHosts));
  std::string text = net::with_neighbours(before, neighbours);
  if (text == before) return {};
  const std::size_t size = text.size();
  if (size < before.size()) text.append(before.size() - size, '\n');  // no tail of the old text is ever seen
  TRY(sys::write_all_at(file.get(), text, 0));
  return size < before.size() ? sys::truncate_file(file.get(), size) : base::Result<>{};
}

void rewrite(Core& core, const std::string& id) {
  const auto container = core.table.find(id);
  if (!container) return;
  const auto record = (*container)->record();
  if (!has_process(record->state)) return;
  if (const auto written = write_in_place(core.names_dir(id) + "/hosts", neighbours_of(core, *record)); !written) {
    base::log::warn("container {}: the names of others in its hosts file are old: {}", id, written.error().message());
  }
}

std::uint64_t next_ticket(NeighbourWriter& writer) {
  const std::lock_guard lock{writer.tickets};
  return ++writer.last_ticket;
}

std::uint64_t newest_ticket(NeighbourWriter& writer) {
  const std::lock_guard lock{writer.tickets};
  return writer.last_ticket;
}

}  // namespace

const std::string* network_key(const Record& record, const std::string& name, const base::NetworkId& id) {
  for (const auto& [key, settings] : record.networks) {
    if (key == name || id.str() == key || (key.size() >= 12 && id.str().starts_with(key))) return &key;
  }
  return nullptr;
}

std::vector<base::NetworkId> networks_of(const std::vector<net::Endpoint>& endpoints) {
  std::vector<base::NetworkId> networks;
  for (const net::Endpoint& endpoint : endpoints) networks.push_back(endpoint.network);
  return networks;
}

std::vector<net::Neighbour> neighbours_of(Core& core, const Record& record) {
  std::vector<net::Neighbour> list;
  for (const net::Endpoint& own : core.network.endpoints_of(base::ContainerId{record.id})) {
    if (own.network_name == "bridge") {
      add_linked(core, record, own.network, list);
    } else {
      add_network(core, record, own, list);
    }
  }
  std::ranges::sort(list);
  return list;
}

void tell_neighbours(Core& core, const std::string& changed, const std::vector<base::NetworkId>& networks) {
  std::vector<base::NetworkId> named;
  for (const base::NetworkId& id : networks) {
    const auto network = core.network.find_network(id.str());
    if (network && !network->is_default) named.push_back(id);
  }
  std::set<std::string> linked;
  for (const ContainerPtr& container : core.table.all()) {
    if (is_linked_with(*container->record(), changed)) linked.insert(container->id());
  }
  if (named.empty() && linked.empty()) return;

  NeighbourWriter& writer = core.neighbour_writer;
  const std::uint64_t ticket = next_ticket(writer);
  const std::lock_guard lock{writer.mutex};
  std::set<std::string> affected = std::move(linked);
  const std::uint64_t newest = newest_ticket(writer);
  for (const base::NetworkId& id : named) {
    if (writer.done[id] >= ticket) continue;
    writer.done[id] = newest;
    for (const net::Endpoint& endpoint : core.network.endpoints_in(id)) affected.insert(endpoint.container.str());
  }
  for (const std::string& id : affected) rewrite(core, id);
}

void rewrite_neighbours(Core& core, const std::string& id) {
  const std::lock_guard lock{core.neighbour_writer.mutex};
  rewrite(core, id);
}

void tell_all_neighbours(Core& core) {
  const std::lock_guard lock{core.neighbour_writer.mutex};
  for (const ContainerPtr& container : core.table.all()) rewrite(core, container->id());
}

}  // namespace engine
