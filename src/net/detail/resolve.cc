#include "net/detail/resolve.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "base/strings.h"

namespace net::detail {
namespace {

constexpr std::size_t kLongestInterfaceName = 15;  // IFNAMSIZ without its NUL
constexpr std::uint32_t kSmallestMtu = 68;         // RFC 791

base::Result<bool> parse_bool(std::string_view key, std::string_view text) {
  // Go's strconv.ParseBool.
  for (const auto* yes : {"1", "t", "T", "TRUE", "true", "True"}) {
    if (text == yes) return true;
  }
  for (const auto* no : {"0", "f", "F", "FALSE", "false", "False"}) {
    if (text == no) return false;
  }
  return base::invalid(fmt::format("driver-opt {} is not a valid bool", base::quoted(key)));
}

base::Result<> apply_option(Network& network, const std::string& key, const std::string& value) {
  if (key == "com.docker.network.bridge.name") {
    if (value.empty() || value.size() > kLongestInterfaceName || value == "." || value == ".." ||
        value.find_first_of("/: \t\n\"\\") != std::string::npos) {
      return base::invalid(fmt::format("invalid bridge name {}: at most {} characters, no '/' and no space",
                                       base::quoted(value), kLongestInterfaceName));
    }
    network.bridge = value;
  } else if (key == "com.docker.network.bridge.enable_icc") {
    network.icc = TRY(parse_bool(key, value));
  } else if (key == "com.docker.network.bridge.enable_ip_masquerade") {
    network.masquerade = TRY(parse_bool(key, value));
  } else if (key == "com.docker.network.driver.mtu") {
    const auto mtu = base::parse_uint(value);
    if (!mtu || *mtu > UINT16_MAX || (*mtu != 0 && *mtu < kSmallestMtu)) {
      return base::invalid("invalid MTU number: " + value);
    }
    if (*mtu != 0) network.mtu = static_cast<std::uint32_t>(*mtu);
  } else if (key == "com.docker.network.bridge.host_binding_ipv4") {
    network.default_host_ip = TRY(Ipv4::parse(value));
  } else if (key == "com.docker.network.bridge.gateway_mode_ipv4") {
    if (value != "nat" && value != "nat-unprotected") {
      return base::invalid(
          fmt::format("unsupported gateway mode {}: use nat or nat-unprotected", base::quoted(value)));
    }
    network.unprotected = value == "nat-unprotected";
  }
  return {};
}

base::Result<> apply_addresses(Network& network, const Surroundings& surroundings) {
  const NetworkConfig& config = network.config;
  if (config.subnet.empty()) {
    if (!config.ip_range.empty() || !config.gateway.empty() || !config.auxiliary_addresses.empty()) {
      return base::invalid("user specified IP range, gateway or auxiliary address needs a subnet");
    }
    std::vector<Subnet> taken{surroundings.networks.begin(), surroundings.networks.end()};
    taken.insert(taken.end(), surroundings.host.begin(), surroundings.host.end());
    network.subnet = TRY(choose_subnet(surroundings.pools, taken));
  } else {
    network.subnet = TRY(Subnet::parse(config.subnet));
    if (network.subnet.length() == 0 || network.subnet.length() > 30) {
      return base::invalid(
          fmt::format("invalid subnet {}: no room for a gateway and a container", config.subnet));
    }
    if (std::ranges::any_of(surroundings.networks,
                            [&](const Subnet& other) { return other.overlaps(network.subnet); })) {
      return base::Error{base::ErrorKind::PermissionDenied,
                         "invalid pool request: Pool overlaps with other one on this address space"};
    }
  }
  network.ip_range = network.subnet;
  if (!config.ip_range.empty()) {
    network.ip_range = TRY(Subnet::parse(config.ip_range));
    if (!network.subnet.contains(network.ip_range)) {
      return base::invalid(fmt::format("invalid ip-range {}: it is not part of subnet {}", config.ip_range,
                                       network.subnet.str()));
    }
  }
  AddressAllocator allocator{network.subnet, network.ip_range};
  for (const auto& [name, text] : config.auxiliary_addresses) {
    TRY(allocator.take(TRY(Ipv4::parse(text))).context("auxiliary address " + name));
  }
  if (config.gateway.empty()) {
    network.gateway = TRY(allocator.allocate());
  } else {
    network.gateway = TRY(Ipv4::parse(config.gateway));
    TRY(allocator.take(network.gateway).context("gateway " + config.gateway));
  }
  network.default_gateway = network.gateway;
  return {};
}

}  // namespace

base::Result<Network> resolve(const NetworkConfig& config, const Surroundings& surroundings) {
  if (base::trim(config.name).empty()) return base::invalid("invalid name: name is empty");
  if (config.enable_ipv6) {
    return base::not_implemented("networks with IPv6 are not supported: create it without --ipv6");
  }
  Network network;
  network.id = base::NetworkId::random();
  network.name = config.name;
  network.created = base::now();
  network.config = config;
  network.bridge = "br-" + network.id.short_str();
  for (const auto& [key, value] : config.options) TRY(apply_option(network, key, value));
  TRY(apply_addresses(network, surroundings));
  return network;
}

base::Result<AddressAllocator> allocator_for(const Network& network) {
  AddressAllocator allocator{network.subnet, network.ip_range};
  TRY(allocator.take(network.gateway));
  if (network.default_gateway != network.gateway && network.subnet.contains(network.default_gateway)) {
    TRY(allocator.take(network.default_gateway));
  }
  for (const auto& [name, text] : network.config.auxiliary_addresses) {
    TRY(allocator.take(TRY(Ipv4::parse(text))).context("auxiliary address " + name));
  }
  return allocator;
}

}  // namespace net::detail
