#pragma once
/// Networks and endpoints as JSON, for their rows. Private to this module: a change of it is a change
/// of the disk format, so members are only ever added.

#include "codec/describe.h"
#include "net/network.h"

namespace net {

inline void describe(auto& v, NetworkConfig& config) {
  v("name", config.name);
  v.opt("subnet", config.subnet);
  v.opt("ipRange", config.ip_range);
  v.opt("gateway", config.gateway);
  v.opt("auxiliaryAddresses", config.auxiliary_addresses);
  v.opt("internal", config.internal);
  v.opt("attachable", config.attachable);
  v.opt("enableIpv6", config.enable_ipv6);
  v.opt("options", config.options);
  v.opt("labels", config.labels);
}

namespace detail {

/// The row of a network: what it resolved to as texts, beside what was asked for.
struct NetworkRow {
  std::string id, name, created, bridge, subnet, ip_range, gateway, default_gateway, default_host_ip;
  std::uint32_t mtu = 0;
  bool icc = false, masquerade = false, unprotected = false, is_default = false, bridge_is_ours = false;
  NetworkConfig config;

  static NetworkRow of(const Network& network);
  [[nodiscard]] base::Result<Network> value() const;
};
inline void describe(auto& v, NetworkRow& row) {
  v("id", row.id);
  v("name", row.name);
  v("created", row.created);
  v("bridge", row.bridge);
  v("subnet", row.subnet);
  v("ipRange", row.ip_range);
  v("gateway", row.gateway);
  v("defaultGateway", row.default_gateway);
  v("defaultHostIp", row.default_host_ip);
  v("mtu", row.mtu);
  v("icc", row.icc);
  v("masquerade", row.masquerade);
  v("unprotected", row.unprotected);
  v("isDefault", row.is_default);
  v("bridgeIsOurs", row.bridge_is_ours);
  v("config", row.config);
}

struct PortRow {
  std::string protocol, host_ip;
  std::uint16_t container_port = 0, host_port = 0;
};
inline void describe(auto& v, PortRow& row) {
  v("protocol", row.protocol);
  v("containerPort", row.container_port);
  v("hostIp", row.host_ip);
  v("hostPort", row.host_port);
}

struct EndpointRow {
  std::string id, network, network_name, container, container_name, host_interface, address, gateway, mac;
  std::uint32_t prefix_length = 0;
  std::vector<std::string> aliases;
  std::vector<PortRow> ports;

  static EndpointRow of(const Endpoint& endpoint);
  [[nodiscard]] base::Result<Endpoint> value() const;
};
inline void describe(auto& v, EndpointRow& row) {
  v("id", row.id);
  v("network", row.network);
  v("networkName", row.network_name);
  v("container", row.container);
  v("containerName", row.container_name);
  v("hostInterface", row.host_interface);
  v("address", row.address);
  v("prefixLength", row.prefix_length);
  v("gateway", row.gateway);
  v("mac", row.mac);
  v.opt("aliases", row.aliases);
  v.opt("ports", row.ports);
}

}  // namespace detail
}  // namespace net
