/// An endpoint's life: reserve, attach, release.

#include <fmt/format.h>

#include "base/log.h"
#include "base/scope_guard.h"
#include "net/detail/bridge_manager.h"
#include "net/detail/plumbing.h"
#include "sys/crash_point.h"

namespace net::detail {

base::Result<Endpoint> BridgeManager::insert(const NetworkPointer& state, const EndpointRequest& request) {
  Endpoint endpoint;
  endpoint.id = EndpointId::random();
  endpoint.container = request.container;
  endpoint.container_name = request.container_name;
  endpoint.host_interface = port_name(endpoint.id);
  endpoint.aliases = request.aliases;
  endpoint.ports = request.ports;

  const std::scoped_lock lock{state->mutex};
  const Network& network = state->network;
  if (!state->ready) return base::not_found("network " + network.name + " not found");
  if (state->endpoints.contains(request.container)) {
    // Docker answers 403 to it.
    return base::Error{base::ErrorKind::PermissionDenied,
                       fmt::format("endpoint with name {} already exists in network {}",
                                   request.container_name, network.name)};
  }
  if (request.address) {
    TRY(state->addresses.take(*request.address));
    endpoint.address = *request.address;
  } else {
    endpoint.address = TRY(state->addresses.allocate());
  }
  endpoint.network = network.id;
  endpoint.network_name = network.name;
  endpoint.prefix_length = network.subnet.length();
  endpoint.gateway = network.config.internal ? Ipv4{} : network.default_gateway;
  endpoint.mac = request.mac ? *request.mac : Mac::of(endpoint.address);
  for (PortBinding& binding : endpoint.ports) {
    if (binding.host_ip.is_any()) binding.host_ip = network.default_host_ip;
  }
  state->endpoints.emplace(request.container, EndpointState{endpoint, false});
  state->by_id.emplace(endpoint.id, request.container);
  return endpoint;
}

void BridgeManager::forget(const NetworkPointer& state, const EndpointId& id) {
  const std::scoped_lock lock{state->mutex};
  const auto container = state->by_id.find(id);
  if (container == state->by_id.end()) return;
  const auto entry = state->endpoints.find(container->second);
  state->addresses.release(entry->second.endpoint.address);
  state->endpoints.erase(entry);
  state->by_id.erase(container);
}

base::Result<Endpoint> BridgeManager::reserve(const EndpointRequest& request) {
  const auto state = TRY(registry_.find(request.network));
  Endpoint endpoint = TRY(insert(state, request));
  auto undo_address = base::ScopeGuard{[&] { forget(state, endpoint.id); }};
  if (!endpoint.ports.empty() && !options_.firewall) {
    return base::invalid("ports can't be published: the daemon runs with iptables disabled");
  }
  TRY(ports_.reserve(endpoint.id, endpoint.ports)
          .context(fmt::format("driver failed programming external connectivity on endpoint {} ({})",
                               endpoint.container_name, endpoint.id.str())));
  auto undo_ports = base::ScopeGuard{[&] { ports_.release(endpoint.id, endpoint.ports); }};
  TRY(sys::inject("net.reserve.record"));
  TRY(records_->put(endpoint).context("record endpoint of " + endpoint.container_name));
  CRASH_POINT("net.reserve.recorded");
  {
    const std::scoped_lock lock{state->mutex};
    state->endpoints.at(endpoint.container).endpoint.ports = endpoint.ports;
  }
  undo_ports.release();
  undo_address.release();
  return endpoint;
}

std::uint32_t BridgeManager::bridge_of(const NetworkPointer& state) {
  const std::scoped_lock lock{state->mutex};
  return state->bridge;
}

base::Result<> BridgeManager::attach(const Endpoint& endpoint, int netns, const AttachOptions& options) {
  const auto state = registry_.with_endpoint(endpoint.id);
  if (!state) return base::not_found("endpoint " + endpoint.id.str() + " not found");
  Network network;
  const std::uint32_t bridge = bridge_of(state);
  {
    const std::scoped_lock lock{state->mutex};
    network = state->network;
    const auto entry = state->endpoints.find(endpoint.container);
    if (entry == state->endpoints.end())
      return base::not_found("endpoint " + endpoint.id.str() + " not found");
    entry->second.attached = true;
  }
  const auto intent = [&] {
    return fmt::format("connect {} to network {}", endpoint.container_name, network.name);
  };
  auto plugged = bridge == 0 ? base::Result<>{base::not_found("no bridge")}
                             : plug(network, bridge, endpoint, netns, options);
  if (plugged.failed_as(base::ErrorKind::NotFound) || plugged.failed_as(base::ErrorKind::InvalidArgument)) {
    // What the kernel says to the index of a bridge that is gone: once more, if there is another one.
    TRY(prepare_bridge(state).context(intent()));
    const std::uint32_t present = bridge_of(state);
    if (present != bridge) plugged = plug(network, present, endpoint, netns, options);
  }
  TRY(std::move(plugged).context(intent()));
  auto undo = base::ScopeGuard{
      [&] { base::ignore(remove_interface(endpoint.host_interface), "the cause is returned"); }};
  if (!endpoint.ports.empty()) {
    auto published = firewall_.publish(endpoint);
    // Somebody flushed the ruleset of the host: all of it again, this endpoint included.
    if (published.failed_as(base::ErrorKind::NotFound)) published = install_firewall();
    TRY(std::move(published).context(
        fmt::format("driver failed programming external connectivity on endpoint {} ({})",
                    endpoint.container_name, endpoint.id.str())));
  }
  CRASH_POINT("net.attach.rules");
  if (auto injected = sys::inject("net.attach.rules"); !injected) {
    base::ignore(firewall_.unpublish(endpoint), "the cause is returned");
    return injected;
  }
  undo.release();
  return {};
}

base::Result<> BridgeManager::release(const EndpointId& id, Detach detach) {
  const auto state = registry_.with_endpoint(id);
  if (!state) return {};
  Endpoint endpoint;
  bool attached = false;
  {
    const std::scoped_lock lock{state->mutex};
    const auto container = state->by_id.find(id);
    if (container == state->by_id.end()) return {};
    const EndpointState& entry = state->endpoints.at(container->second);
    endpoint = entry.endpoint;
    attached = entry.attached;
  }
  const auto intent = [&] {
    return fmt::format("disconnect {} from network {}", endpoint.container_name, endpoint.network_name);
  };
  if (attached) {
    if (!endpoint.ports.empty()) TRY(firewall_.unpublish(endpoint).context(intent()));
    CRASH_POINT("net.release.rules");
    TRY(sys::inject("net.release.rules"));
    if (detach == Detach::Now) {
      TRY(remove_interface(endpoint.host_interface).context(intent()));
    } else {
      TRY(cut_off(endpoint.host_interface).context(intent()));
    }
  }
  CRASH_POINT("net.release.kernel");
  TRY(sys::inject("net.release.record"));
  TRY(records_->erase(id).context(intent()));
  ports_.release(id, endpoint.ports);
  forget(state, id);
  return {};
}

}  // namespace net::detail
