#include "net/detail/registry.h"

#include <algorithm>

#include "net/detail/resolve.h"

namespace net::detail {

base::Result<> Registry::check_bridge(const Network& network) const {
  for (const auto& state : networks_) {
    const std::scoped_lock lock{state->mutex};
    if (state->network.bridge == network.bridge) {
      return base::conflict("bridge " + network.bridge + " belongs to network " + state->network.name +
                            " already: choose another com.docker.network.bridge.name");
    }
  }
  return {};
}

base::Result<AddressAllocator> Registry::allocator_for_new(const Network& network) {
  return allocator_for(network);
}

void Registry::remove(const NetworkPointer& state) {
  const std::unique_lock lock{mutex_};
  std::erase(networks_, state);
}

std::vector<NetworkPointer> Registry::all() const {
  const std::shared_lock lock{mutex_};
  std::vector<NetworkPointer> ready;
  for (const auto& state : networks_) {
    const std::scoped_lock network_lock{state->mutex};
    if (state->ready) ready.push_back(state);
  }
  return ready;
}

std::vector<NetworkPointer> Registry::every() const {
  const std::shared_lock lock{mutex_};
  return networks_;
}

std::vector<Subnet> Registry::subnets() const {
  std::vector<Subnet> all;
  for (const auto& state : every()) {
    const std::scoped_lock lock{state->mutex};
    all.push_back(state->network.subnet);
  }
  return all;
}

NetworkPointer Registry::find_any(const base::NetworkId& id) const {
  for (auto& state : every()) {
    const std::scoped_lock lock{state->mutex};
    if (state->network.id == id) return state;
  }
  return nullptr;
}

NetworkPointer Registry::find_named(std::string_view name) const {
  for (auto& state : every()) {
    const std::scoped_lock lock{state->mutex};
    if (state->network.name == name) return state;
  }
  return nullptr;
}

base::Result<NetworkPointer> Registry::find(const base::NetworkId& id) const {
  for (const auto& state : all()) {
    const std::scoped_lock lock{state->mutex};
    if (state->network.id == id) return NetworkPointer{state};
  }
  return base::not_found("network " + id.str() + " not found");
}

NetworkPointer Registry::with_endpoint(const EndpointId& id) const {
  for (auto& state : all()) {
    const std::scoped_lock lock{state->mutex};
    if (state->by_id.contains(id)) return state;
  }
  return nullptr;
}

}  // namespace net::detail
