#include "cli/ipam.h"

#include <algorithm>
#include <array>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "base/strings.h"

namespace cli {

using base::Result;
using codec::Json;

namespace {

struct Address {
  std::array<unsigned char, 16> bytes{};
  bool v6 = false;
};

struct Subnet {
  Address address;
  unsigned prefix = 0;

  [[nodiscard]] bool contains(const Address& other) const {
    if (other.v6 != address.v6) return false;
    for (unsigned bit = 0; bit < prefix; ++bit) {
      const auto mask = static_cast<unsigned char>(0x80U >> bit % 8);
      if (((address.bytes[bit / 8] ^ other.bytes[bit / 8]) & mask) != 0) return false;
    }
    return true;
  }
};

Result<Address> parse_address(std::string_view text) {
  Address out;
  const std::string copy{text};
  if (::inet_pton(AF_INET, copy.c_str(), out.bytes.data()) == 1) return out;
  out.v6 = true;
  if (::inet_pton(AF_INET6, copy.c_str(), out.bytes.data()) == 1) return out;
  return base::invalid(fmt::format("invalid address {}", text));
}

Result<Subnet> parse_subnet(std::string_view text) {
  const auto bad = [&] { return base::invalid(fmt::format("invalid CIDR address: {}", text)); };
  const auto pair = base::cut(text, "/");
  if (!pair) return bad();
  const auto address = parse_address(pair->first);
  const auto prefix = base::parse_uint(pair->second);
  if (!address || !prefix || *prefix > (address->v6 ? 128U : 32U)) return bad();
  return Subnet{*address, static_cast<unsigned>(*prefix)};
}

struct Pool {
  std::string text;
  Subnet subnet;
  std::string range, gateway;
  Json auxiliary;
};

Pool* pool_of(std::vector<Pool>& pools, const Address& address) {
  const auto at =
      std::ranges::find_if(pools, [&](const Pool& pool) { return pool.subnet.contains(address); });
  return at == pools.end() ? nullptr : &*at;
}

}  // namespace

Result<Json> ipam_config(const IpamFlags& flags) {
  if (flags.subnets.size() < flags.ranges.size() || flags.subnets.size() < flags.gateways.size()) {
    return base::invalid("every ip-range or gateway must have a corresponding subnet");
  }
  std::vector<Pool> pools;
  for (const auto& text : flags.subnets) {
    const Subnet subnet = TRY(parse_subnet(text));
    for (const auto& pool : pools) {
      if (pool.subnet.contains(subnet.address) || subnet.contains(pool.subnet.address)) {
        return base::invalid("multiple overlapping subnet configuration is not supported");
      }
    }
    pools.push_back({text, subnet, {}, {}, {}});
  }
  for (const auto& range : flags.ranges) {
    const Subnet parsed = TRY(parse_subnet(range));
    Pool* pool = pool_of(pools, parsed.address);
    if (pool == nullptr) return base::invalid(fmt::format("no matching subnet for range {}", range));
    if (!pool->range.empty()) {
      return base::invalid(fmt::format("cannot configure multiple ranges ({}, {}) on the same subnet ({})",
                                       range, pool->range, pool->text));
    }
    pool->range = range;
  }
  for (const auto& gateway : flags.gateways) {
    const Address parsed = TRY(parse_address(gateway));
    Pool* pool = pool_of(pools, parsed);
    if (pool == nullptr) return base::invalid(fmt::format("no matching subnet for gateway {}", gateway));
    if (!pool->gateway.empty()) {
      return base::invalid(fmt::format("cannot configure multiple gateways ({}, {}) for the same subnet ({})",
                                       gateway, pool->gateway, pool->text));
    }
    pool->gateway = gateway;
  }
  for (const auto& [name, address] : flags.auxiliary) {
    const Address parsed = TRY(parse_address(address));
    Pool* pool = pool_of(pools, parsed);
    if (pool == nullptr) return base::invalid(fmt::format("no matching subnet for aux-address {}", address));
    pool->auxiliary.set(name, address);
  }
  Json out{Json::Array{}};
  for (auto& pool : pools) {
    Json entry = Json::object({{"Subnet", pool.text}});
    if (!pool.range.empty()) entry.set("IPRange", pool.range);
    if (!pool.gateway.empty()) entry.set("Gateway", pool.gateway);
    if (!pool.auxiliary.is_null()) entry.set("AuxiliaryAddresses", std::move(pool.auxiliary));
    out.push(std::move(entry));
  }
  return out;
}

}  // namespace cli
