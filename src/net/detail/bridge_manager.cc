#include "net/detail/bridge_manager.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/log.h"
#include "base/scope_guard.h"
#include "base/strings.h"
#include "net/detail/plumbing.h"
#include "net/detail/resolve.h"
#include "sys/crash_point.h"

namespace net::detail {
namespace {

constexpr std::array<std::string_view, 3> kPredefined{"bridge", "host", "none"};

bool is_predefined(std::string_view name) {
  return std::ranges::find(kPredefined, name) != kPredefined.end();
}

}  // namespace

BridgeManager::BridgeManager(Options options, std::unique_ptr<Records> records)
    : options_{std::move(options)},
      records_{std::move(records)},
      ports_{PortAllocator::host_range()},
      firewall_{options_.firewall} {}

Network BridgeManager::copy_of(const NetworkPointer& state) {
  const std::scoped_lock lock{state->mutex};
  return state->network;
}

std::vector<Endpoint> BridgeManager::all_endpoints() const {
  std::vector<Endpoint> all;
  for (const auto& state : registry_.all()) {
    const std::scoped_lock lock{state->mutex};
    for (const auto& [container, entry] : state->endpoints) all.push_back(entry.endpoint);
  }
  return all;
}

base::Result<> BridgeManager::prepare_bridge(const NetworkPointer& state) {
  const Network network = copy_of(state);
  const Bridge bridge = TRY(ensure_bridge(network));
  std::vector<std::string> ports;
  {
    const std::scoped_lock lock{state->mutex};
    state->bridge = bridge.index;
    for (const auto& [container, entry] : state->endpoints) {
      if (entry.attached) ports.push_back(entry.endpoint.host_interface);
    }
  }
  if (ports.empty()) return {};
  std::ranges::sort(ports);
  if (auto joined = rejoin(network, bridge.index, ports); !joined) {
    base::log::warn("containers of network {} are not connected: {}", network.name, joined.error().message());
  }
  return {};
}

base::Result<> BridgeManager::bring_up(const NetworkPointer& state) {
  Network network = copy_of(state);
  // Looked at first: a bridge that the administrator made is not ours to remove.
  network.bridge_is_ours = !TRY(interface_exists(network.bridge));
  {
    const std::scoped_lock lock{state->mutex};
    state->network = network;
  }
  auto undo_record =
      base::ScopeGuard{[&] { base::ignore(records_->erase(network.id), "the cause is returned"); }};
  TRY(records_->put(network));
  CRASH_POINT("net.create.recorded");
  auto undo_bridge = base::ScopeGuard{[&] {
    if (network.bridge_is_ours) base::ignore(remove_interface(network.bridge), "the cause is returned");
  }};
  TRY(prepare_bridge(state));
  TRY(sys::inject("net.create.bridge"));
  TRY(firewall_.add_network(network));
  if (options_.firewall) TRY(pass_other_firewalls({&network.bridge, 1}));
  undo_bridge.release();
  undo_record.release();
  return {};
}

base::Result<Network> BridgeManager::create_network(const NetworkConfig& config) {
  if (is_predefined(config.name)) {
    return base::Error{base::ErrorKind::PermissionDenied,
                       "operation is not permitted on predefined " + config.name + " network "};
  }
  std::vector<Pool> pools;
  for (const AddressPool& pool : options_.pools) pools.push_back({pool.base, pool.size});
  const auto host = TRY(host_subnets(""));
  const auto state = TRY(registry_.add(config.name, [&](const std::vector<Subnet>& others) {
    return resolve(config, {.pools = pools, .networks = others, .host = host});
  }));
  if (auto up = bring_up(state); !up) {
    registry_.remove(state);
    return std::move(up).error().context("create network " + config.name);
  }
  const std::scoped_lock lock{state->mutex};
  state->ready = true;
  return state->network;
}

std::vector<Network> BridgeManager::networks() const {
  std::vector<Network> all;
  for (const auto& state : registry_.all()) all.push_back(copy_of(state));
  return all;
}

base::Result<Network> BridgeManager::find_network(std::string_view name_or_id) const {
  std::vector<Network> matches;
  for (Network& network : networks()) {
    if (network.id.str() == name_or_id || network.name == name_or_id) return std::move(network);
    if (!name_or_id.empty() && network.id.str().starts_with(name_or_id))
      matches.push_back(std::move(network));
  }
  if (matches.size() == 1) return std::move(matches.front());
  if (matches.size() > 1) {
    return base::invalid(fmt::format("network {} is ambiguous ({} matches found based on ID prefix)",
                                     name_or_id, matches.size()));
  }
  return base::not_found(fmt::format("network {} not found", name_or_id));
}

base::Result<> BridgeManager::remove_network(const base::NetworkId& id) {
  const auto state = TRY(registry_.find(id));
  Network network;
  {
    const std::scoped_lock lock{state->mutex};
    network = state->network;
    if (network.is_default) {
      return base::Error{base::ErrorKind::PermissionDenied,
                         "bridge is a pre-defined network and cannot be removed"};
    }
    if (!state->endpoints.empty()) {
      std::string users;
      for (const auto& [container, entry] : state->endpoints) {
        if (!users.empty()) users += ", ";
        users += fmt::format("name:{} id:{}", base::quoted(entry.endpoint.container_name),
                             base::quoted(entry.endpoint.id.short_str()));
      }
      return base::Error{base::ErrorKind::PermissionDenied,
                         fmt::format("error while removing network: network {} has active endpoints ({})",
                                     network.name, users)};
    }
    state->ready = false;  // nobody finds it any more
  }
  auto come_back = base::ScopeGuard{[&] {
    const std::scoped_lock lock{state->mutex};
    state->ready = true;
  }};
  TRY(firewall_.remove_network(network));
  if (options_.firewall) leave_other_firewalls(network.bridge);
  if (network.bridge_is_ours) TRY(remove_interface(network.bridge));
  CRASH_POINT("net.remove.gone");
  TRY(records_->erase(id));
  come_back.release();
  registry_.remove(state);
  return {};
}

std::vector<Endpoint> BridgeManager::endpoints_in(const base::NetworkId& network) const {
  std::vector<Endpoint> found;
  if (const auto state = registry_.find(network)) {
    const std::scoped_lock lock{(*state)->mutex};
    for (const auto& [container, entry] : (*state)->endpoints) found.push_back(entry.endpoint);
  }
  return found;
}

std::vector<Endpoint> BridgeManager::endpoints_of(const base::ContainerId& container) const {
  std::vector<Endpoint> found;
  for (const auto& state : registry_.all()) {
    const std::scoped_lock lock{state->mutex};
    const auto it = state->endpoints.find(container);
    if (it != state->endpoints.end()) found.push_back(it->second.endpoint);
  }
  return found;
}

base::Result<std::vector<sys::UniqueFd>> BridgeManager::port_guards(const EndpointId& id) {
  const auto state = registry_.with_endpoint(id);
  if (!state) return base::not_found("endpoint " + id.str() + " not found");
  std::vector<PortBinding> bindings;
  {
    const std::scoped_lock lock{state->mutex};
    const auto container = state->by_id.find(id);
    if (container != state->by_id.end()) bindings = state->endpoints.at(container->second).endpoint.ports;
  }
  return ports_.guards(id, bindings);
}

}  // namespace net::detail
