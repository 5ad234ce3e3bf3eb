#include "net/detail/ipam.h"

#include <algorithm>

namespace net::detail {

AddressAllocator::AddressAllocator(Subnet subnet, Subnet range)
    : subnet_{subnet}, first_{range.first().value()}, last_{range.last().value()}, next_{first_} {}

bool AddressAllocator::usable(std::uint32_t address) const {
  return subnet_.length() >= 31 || (address != subnet_.first().value() && address != subnet_.last().value());
}

base::Result<Ipv4> AddressAllocator::allocate() {
  // Two passes over the used addresses, not over the range: from `next_` up, then from the start.
  for (const bool wrapped : {false, true}) {
    std::uint64_t candidate = wrapped ? first_ : next_;
    const std::uint64_t end = wrapped ? std::uint64_t{next_} : std::uint64_t{last_} + 1;
    auto used = used_.lower_bound(static_cast<std::uint32_t>(candidate));
    for (; candidate < end; ++candidate) {
      const auto address = static_cast<std::uint32_t>(candidate);
      if (used != used_.end() && *used == address) {
        ++used;
        continue;
      }
      if (!usable(address)) continue;
      used_.insert(address);
      next_ = address == last_ ? first_ : address + 1;
      return Ipv4{address};
    }
  }
  return base::unavailable("no available IPv4 addresses on this network's address pools: " + subnet_.str());
}

base::Result<> AddressAllocator::take(Ipv4 address) {
  if (!subnet_.contains(address) || !usable(address.value())) {
    return base::invalid("invalid address " + address.str() +
                         ": it does not belong to any of this network's subnets");
  }
  if (!used_.insert(address.value()).second) return base::conflict("Address already in use");
  return {};
}

void AddressAllocator::release(Ipv4 address) { used_.erase(address.value()); }

base::Result<Subnet> choose_subnet(std::span<const Pool> pools, std::span<const Subnet> taken) {
  for (const Pool& pool : pools) {
    const std::uint64_t end = pool.base.last().value();
    const std::uint64_t step = std::uint64_t{1} << (32U - pool.size);
    for (std::uint64_t first = pool.base.first().value(); first <= end; first += step) {
      const Subnet piece{Ipv4{static_cast<std::uint32_t>(first)}, pool.size};
      if (std::ranges::none_of(taken, [&](const Subnet& other) { return piece.overlaps(other); }))
        return piece;
    }
  }
  return base::invalid("all predefined address pools have been fully subnetted");
}

}  // namespace net::detail
