#pragma once
/// What the manager knows in memory: networks and their endpoints.
///
/// Locks: `Registry::mutex_` guards the list of networks, `NetworkState::mutex` what is in one of them.
/// Neither is held across the kernel or the disk. Order: registry, then network.

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "net/detail/ipam.h"
#include "net/network.h"

namespace net::detail {

struct EndpointState {
  Endpoint endpoint;
  bool attached = false;  ///< the kernel may have something of it
};

struct NetworkState {
  mutable std::mutex mutex;
  // Guarded by mutex:
  Network network;
  AddressAllocator addresses;
  std::uint32_t bridge = 0;  ///< interface index; 0: not made yet
  bool ready = false;        ///< false while it is being made or removed
  std::map<base::ContainerId, EndpointState> endpoints;
  std::unordered_map<EndpointId, base::ContainerId> by_id;
};
using NetworkPointer = std::shared_ptr<NetworkState>;

class Registry {
 public:
  /// Makes a network of `make`'s result, which gets the other networks' subnets while nobody else can
  /// add one; not `ready` yet. Errors: Conflict (name or bridge taken).
  template <class F>
  base::Result<NetworkPointer> add(std::string_view name, F make) {
    const std::unique_lock lock{mutex_};
    std::vector<Subnet> subnets;
    for (const auto& state : networks_) {
      const std::scoped_lock network_lock{state->mutex};
      if (state->network.name == name) {
        return base::conflict("network with name " + std::string{name} + " already exists");
      }
      subnets.push_back(state->network.subnet);
    }
    auto added = std::make_shared<NetworkState>();
    added->network = TRY(make(subnets));
    TRY(check_bridge(added->network));
    added->addresses = TRY(allocator_for_new(added->network));
    networks_.push_back(added);
    return added;
  }
  void remove(const NetworkPointer& state);

  /// All that are ready, in order of creation.
  [[nodiscard]] std::vector<NetworkPointer> all() const;
  /// Ready or not.
  [[nodiscard]] std::vector<NetworkPointer> every() const;
  [[nodiscard]] std::vector<Subnet> subnets() const;
  /// Ready or not; nullptr if there is none.
  [[nodiscard]] NetworkPointer find_any(const base::NetworkId& id) const;
  [[nodiscard]] NetworkPointer find_named(std::string_view name) const;
  /// Errors: NotFound.
  [[nodiscard]] base::Result<NetworkPointer> find(const base::NetworkId& id) const;
  /// The network that has this endpoint.
  [[nodiscard]] NetworkPointer with_endpoint(const EndpointId& id) const;

 private:
  base::Result<> check_bridge(const Network& network) const;
  static base::Result<AddressAllocator> allocator_for_new(const Network& network);

  mutable std::shared_mutex mutex_;
  std::vector<NetworkPointer> networks_;  ///< guarded by mutex_
};

}  // namespace net::detail
