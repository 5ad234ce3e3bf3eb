#pragma once
/// The nouns of the module: a network, an endpoint (one container's place in one network), and the
/// requests that make them.
///
/// `net` knows networks of the driver "bridge". "host", "none" and "container:<id>" need no work
/// here: the engine decides them by choosing the container's network namespace.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "base/time.h"
#include "net/address.h"

namespace net {

using EndpointId = base::Id<struct EndpointNoun>;

/// The values are IANA's protocol numbers.
enum class Protocol : std::uint8_t { Tcp = 6, Udp = 17, Sctp = 132 };
/// "tcp", "udp", "sctp".
[[nodiscard]] std::string_view name_of(Protocol protocol);
/// Errors: InvalidArgument "invalid proto: …".
base::Result<Protocol> parse_protocol(std::string_view name);

/// One published port. The engine resolves ranges such as `-p 8000-8009:80-89` to single bindings;
/// `-p 8000-8009:80` (any host port of the range) stays one binding with `host_port_end`.
struct PortBinding {
  Protocol protocol = Protocol::Tcp;
  std::uint16_t container_port = 0;
  Ipv4 host_ip;                     ///< 0.0.0.0: every address of the host
  std::uint16_t host_port = 0;      ///< 0: choose from the kernel's ephemeral range
  std::uint16_t host_port_end = 0;  ///< when above host_port: choose from host_port…host_port_end
  auto operator<=>(const PortBinding&) const = default;
};

/// What a user asks for (POST /networks/create). Empty parts are chosen by the manager.
struct NetworkConfig {
  std::string name;
  std::string subnet;    ///< "10.1.0.0/16"; "": the next free default pool
  std::string ip_range;  ///< part of the subnet that containers get addresses from
  std::string gateway;   ///< "": the first address of ip_range or subnet
  std::map<std::string, std::string> auxiliary_addresses;  ///< name → address never given out
  bool internal = false;                                   ///< no way out and none in
  bool attachable = false;  ///< kept and shown; every local network is attachable
  bool enable_ipv6 = false;
  /// Docker's driver options, e.g. com.docker.network.bridge.name, …enable_icc, driver.mtu.
  std::map<std::string, std::string> options;
  std::map<std::string, std::string> labels;
};

/// A network that exists.
struct Network {
  base::NetworkId id;
  std::string name;
  base::Time created;
  NetworkConfig config;  ///< as asked for, for `inspect`
  // What it resolved to:
  std::string bridge;  ///< the host's interface
  Subnet subnet;
  Subnet ip_range;       ///< equals subnet unless asked for otherwise
  Ipv4 gateway;          ///< the bridge's address
  Ipv4 default_gateway;  ///< where containers send what is not local: `gateway`, unless --default-gateway
  std::uint32_t mtu = 1500;
  bool icc = true;           ///< containers of the network may talk to each other
  bool masquerade = true;    ///< outgoing connections get the host's address
  bool unprotected = false;  ///< gateway_mode nat-unprotected: every port of a container is reachable
  bool is_default = false;
  bool bridge_is_ours = true;  ///< false: it was there before, and stays when the network goes
  Ipv4 default_host_ip;        ///< where ports without a host ip are published
};

struct EndpointRequest {
  base::ContainerId container;
  std::string container_name;  ///< for messages and DNS
  base::NetworkId network;
  std::optional<Ipv4> address;
  std::optional<Mac> mac;
  std::vector<std::string> aliases;
  std::vector<PortBinding> ports;
};

/// A container's reserved place in a network. Persistent from `reserve` to `release`.
struct Endpoint {
  EndpointId id;
  base::NetworkId network;
  std::string network_name;
  base::ContainerId container;
  std::string container_name;
  std::string host_interface;  ///< the veth end in the host, a port of the bridge
  Ipv4 address;
  unsigned prefix_length = 0;
  Ipv4 gateway;  ///< 0.0.0.0 in an internal network: no default route
  Mac mac;
  std::vector<std::string> aliases;
  std::vector<PortBinding> ports;  ///< with the chosen host ports, host_port_end 0
};

}  // namespace net
