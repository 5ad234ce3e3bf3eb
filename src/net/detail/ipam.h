#pragma once
/// Addresses of one network. Not for several threads at a time: the network's lock guards it.

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>

#include "base/result.h"
#include "net/address.h"

namespace net::detail {

/// Gives addresses out upwards and wraps around, so that a released one is used again as late as
/// possible: peers may still know it.
class AddressAllocator {
 public:
  AddressAllocator() = default;
  /// Addresses come from `range`, which is part of `subnet`. The subnet's first and last address
  /// (network and broadcast) are never given out, except from a /31 or /32.
  AddressAllocator(Subnet subnet, Subnet range);

  /// Errors: Unavailable (all in use).
  base::Result<Ipv4> allocate();
  /// Any address of the subnet. Errors: InvalidArgument (outside), Conflict "Address already in use".
  base::Result<> take(Ipv4 address);
  void release(Ipv4 address);

 private:
  [[nodiscard]] bool usable(std::uint32_t address) const;

  Subnet subnet_;
  std::uint32_t first_ = 0;
  std::uint32_t last_ = 0;
  std::uint32_t next_ = 0;
  std::set<std::uint32_t> used_;
};

/// The first piece of the pools that overlaps none of `taken`. Errors: InvalidArgument in docker's
/// words.
struct Pool {
  Subnet base;
  unsigned size;
};
base::Result<Subnet> choose_subnet(std::span<const Pool> pools, std::span<const Subnet> taken);

}  // namespace net::detail
