/// What happens when the daemon starts: kernel and records become equal.

#include <algorithm>

#include "base/log.h"
#include "base/strings.h"
#include "net/detail/bridge_manager.h"
#include "net/detail/plumbing.h"
#include "net/detail/resolve.h"

namespace net::detail {
namespace {

constexpr const char* kDefaultName = "bridge";

std::vector<Pool> pools_of(const Options& options) {
  std::vector<Pool> pools;
  for (const AddressPool& pool : options.pools) pools.push_back({pool.base, pool.size});
  return pools;
}

}  // namespace

base::Result<> BridgeManager::start() {
  TRY(load_networks().context("load networks"));
  TRY(settle_default_network().context("default network"));
  TRY(load_endpoints().context("load endpoints"));
  TRY(bring_up_bridges());
  return install_firewall();
}

base::Result<> BridgeManager::load_networks() {
  std::vector<Network> recorded = TRY(records_->networks());
  std::ranges::sort(recorded, {},
                    [](const Network& network) { return std::pair{!network.is_default, network.created}; });
  for (const Network& network : recorded) {
    if (network.is_default && !options_.default_network) continue;
    TRY(registry_.add(network.name,
                      [&](const std::vector<Subnet>&) -> base::Result<Network> { return network; }));
  }
  return {};
}

base::Result<> BridgeManager::load_endpoints() {
  for (const Endpoint& endpoint : TRY(records_->endpoints())) {
    const auto state = registry_.find_any(endpoint.network);
    if (!state) continue;  // of the default network, which is switched off now
    const std::scoped_lock lock{state->mutex};
    if (auto taken = state->addresses.take(endpoint.address); !taken) {
      base::log::warn("endpoint {} of {}: {}", endpoint.id.short_str(), endpoint.container_name,
                      taken.error().message());
    }
    state->endpoints.insert_or_assign(endpoint.container, EndpointState{endpoint, true});
    state->by_id.insert_or_assign(endpoint.id, endpoint.container);
    ports_.adopt(endpoint.id, endpoint.ports);
  }
  return {};
}

base::Result<Network> BridgeManager::make_default_network(const std::vector<Subnet>& networks) const {
  NetworkConfig config;
  config.name = kDefaultName;
  // Docker's own entries, which clients read.
  config.options = {
      {"com.docker.network.bridge.default_bridge", "true"},
      {"com.docker.network.bridge.enable_icc", options_.icc ? "true" : "false"},
      {"com.docker.network.bridge.enable_ip_masquerade", options_.masquerade ? "true" : "false"},
      {"com.docker.network.bridge.host_binding_ipv4", options_.host_ip.str()},
      {"com.docker.network.bridge.name", options_.bridge},
      {"com.docker.network.driver.mtu", std::to_string(options_.mtu)}};
  config.ip_range = options_.fixed_cidr;
  const auto present = TRY(addresses_of(options_.bridge));
  if (!options_.bip.empty()) {
    const InterfaceAddress wanted = TRY(parse_interface_address(options_.bip).context("--bip"));
    config.subnet = wanted.subnet.str();
    config.gateway = wanted.address.str();
  } else if (!present.empty()) {
    config.subnet = present.front().subnet.str();
    config.gateway = present.front().address.str();
  } else if (!options_.fixed_cidr.empty()) {
    config.subnet = options_.fixed_cidr;
  }
  const auto host = TRY(host_subnets(options_.bridge));
  const auto pools = pools_of(options_);
  Network network = TRY(resolve(config, {.pools = pools, .networks = networks, .host = host}));
  if (!options_.default_gateway.empty()) {
    network.default_gateway = TRY(Ipv4::parse(options_.default_gateway).context("--default-gateway"));
    if (!network.subnet.contains(network.default_gateway)) {
      return base::invalid("default gateway ip must be part of the network");
    }
  }
  network.is_default = true;
  network.bridge_is_ours = options_.bridge == Options{}.bridge || !TRY(interface_exists(options_.bridge));
  return network;
}

base::Result<> BridgeManager::settle_default_network() {
  if (!options_.default_network) return {};
  const auto recorded = registry_.find_named(kDefaultName);
  if (!recorded) {
    const auto added =
        TRY(registry_.add(kDefaultName, [&](const auto& others) { return make_default_network(others); }));
    return records_->put(copy_of(added));
  }
  // The options may have changed since. The subnet stays unless they say otherwise, because containers
  // that run have its addresses; and unless the bridge is gone and the host uses the subnet now.
  std::vector<Subnet> others;
  for (const auto& subnet : registry_.subnets()) {
    if (subnet != copy_of(recorded).subnet) others.push_back(subnet);
  }
  const Network old = copy_of(recorded);
  const auto host = TRY(host_subnets(old.bridge));
  const bool clashes =
      std::ranges::any_of(host, [&](const Subnet& used) { return used.overlaps(old.subnet); });
  const bool keep = options_.bip.empty() && options_.fixed_cidr.empty() && options_.bridge == old.bridge &&
                    (!clashes || !TRY(addresses_of(old.bridge)).empty());
  Network fresh = keep ? old : TRY(make_default_network(others));
  fresh.id = old.id;
  fresh.created = old.created;
  if (fresh.bridge == old.bridge) fresh.bridge_is_ours = old.bridge_is_ours;
  fresh.mtu = options_.mtu;
  fresh.icc = options_.icc;
  fresh.masquerade = options_.masquerade;
  fresh.default_host_ip = options_.host_ip;
  {
    const std::scoped_lock lock{recorded->mutex};
    recorded->network = fresh;
    recorded->addresses = TRY(allocator_for(fresh));
  }
  return records_->put(fresh);
}

base::Result<> BridgeManager::bring_up_bridges() {
  for (const auto& state : registry_.every()) {
    const Network network = copy_of(state);
    auto prepared = prepare_bridge(state);
    if (!prepared && network.is_default) return prepared;
    if (!prepared) {
      // One network that can't be had must not keep the daemon from serving the others.
      base::log::error("network {} has no bridge: {}", network.name, prepared.error().message());
    }
    const std::scoped_lock lock{state->mutex};
    state->ready = true;
  }
  return {};
}

base::Result<> BridgeManager::install_firewall() {
  RulesetOptions rules;
  if (options_.ip_forward) {
    const bool switched = switch_forwarding_on();
    rules.drop_unrelated_forwarding =
        !options_.ip_forward_no_drop && (switched || firewall_.drops_unrelated_forwarding());
  }
  const std::vector<Network> all = networks();
  TRY(firewall_.install(all, all_endpoints(), rules));
  if (!options_.firewall) return {};
  std::vector<std::string> bridges;
  for (const Network& network : all) bridges.push_back(network.bridge);
  return pass_other_firewalls(bridges);
}

base::Result<> BridgeManager::recover(const std::vector<base::ContainerId>& live) {
  std::vector<base::ContainerId> sorted = live;
  std::ranges::sort(sorted);
  for (const Endpoint& endpoint : all_endpoints()) {
    if (std::ranges::binary_search(sorted, endpoint.container)) continue;
    TRY(release(endpoint.id, Detach::WithNamespace)
            .context("release endpoint of " + endpoint.container_name));
  }
  std::vector<std::uint32_t> bridges;
  for (const auto& state : registry_.all()) {
    const std::scoped_lock lock{state->mutex};
    if (state->bridge != 0) bridges.push_back(state->bridge);
  }
  std::vector<std::string> known;
  for (const Endpoint& endpoint : all_endpoints()) known.push_back(endpoint.host_interface);
  std::ranges::sort(known);
  auto strays = TRY(our_ports(bridges));
  std::erase_if(strays, [&](const std::string& port) { return std::ranges::binary_search(known, port); });
  return remove_interfaces(strays);
}

}  // namespace net::detail
