#pragma once
/// The kernel's side of a network: bridges, veth pairs, sysctls. Threads: any; each call opens its own
/// socket in the caller's network namespace.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/manager.h"
#include "net/network.h"

namespace net::detail {

struct Bridge {
  std::uint32_t index = 0;
  bool created = false;  ///< now, by this call
};
/// The network's bridge with its address, up; makes what is missing and removes other IPv4 addresses
/// from a bridge that is ours. Errors: Conflict (the name belongs to something else), NotImplemented
/// (no bridges in this kernel).
base::Result<Bridge> ensure_bridge(const Network& network);
base::Result<bool> interface_exists(const std::string& name);
/// Its IPv4 addresses; none if there is no such interface.
base::Result<std::vector<InterfaceAddress>> addresses_of(const std::string& interface);
/// Nothing there is success.
base::Result<> remove_interface(const std::string& name);
/// The same for many at once.
base::Result<> remove_interfaces(std::span<const std::string> names);

/// Destinations and addresses that the host uses, but for default routes and the interface `except`.
base::Result<std::vector<Subnet>> host_subnets(const std::string& except);

/// Connects a network namespace: veth, address, routes. Leaves nothing when it fails.
base::Result<> plug(const Network& network, std::uint32_t bridge, const Endpoint& endpoint, int netns,
                    const AttachOptions& options);
/// Sets an interface down: no packet passes any more. Nothing there is success.
base::Result<> cut_off(const std::string& interface);

/// For endpoints that lived through the daemon's death: ports of the bridge again, should it have been
/// made anew.
/// `interfaces` is sorted.
base::Result<> rejoin(const Network& network, std::uint32_t bridge, std::span<const std::string> interfaces);
/// Our veth names on the given bridges.
base::Result<std::vector<std::string>> our_ports(std::span<const std::uint32_t> bridges);
[[nodiscard]] std::string port_name(const EndpointId& id);

/// True if it was off and is on now. A read-only /proc/sys is a warning: the host may route anyway.
bool switch_forwarding_on();

}  // namespace net::detail
