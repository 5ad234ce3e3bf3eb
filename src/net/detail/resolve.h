#pragma once
/// From what a user asks for to a network: docker's defaults, driver options and checks. Pure.

#include <span>

#include "base/result.h"
#include "net/detail/ipam.h"
#include "net/network.h"

namespace net::detail {

struct Surroundings {
  std::span<const Pool> pools;
  std::span<const Subnet> networks;  ///< of the other networks
  std::span<const Subnet> host;      ///< the host's routes and addresses
};

/// Errors: InvalidArgument, PermissionDenied (the subnet overlaps another network's).
base::Result<Network> resolve(const NetworkConfig& config, const Surroundings& surroundings);
/// An allocator with everything taken that containers can't have.
base::Result<AddressAllocator> allocator_for(const Network& network);

}  // namespace net::detail
