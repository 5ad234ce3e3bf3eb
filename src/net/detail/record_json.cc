#include "net/detail/record_json.h"

namespace net::detail {

NetworkRow NetworkRow::of(const Network& network) {
  return {.id = network.id.str(),
          .name = network.name,
          .created = base::to_rfc3339(network.created),
          .bridge = network.bridge,
          .subnet = network.subnet.str(),
          .ip_range = network.ip_range.str(),
          .gateway = network.gateway.str(),
          .default_gateway = network.default_gateway.str(),
          .default_host_ip = network.default_host_ip.str(),
          .mtu = network.mtu,
          .icc = network.icc,
          .masquerade = network.masquerade,
          .unprotected = network.unprotected,
          .is_default = network.is_default,
          .bridge_is_ours = network.bridge_is_ours,
          .config = network.config};
}

base::Result<Network> NetworkRow::value() const {
  Network network;
  network.id = base::NetworkId{id};
  network.name = name;
  network.created = TRY(base::parse_rfc3339(created));
  network.bridge = bridge;
  network.subnet = TRY(Subnet::parse(subnet));
  network.ip_range = TRY(Subnet::parse(ip_range));
  network.gateway = TRY(Ipv4::parse(gateway));
  network.default_gateway = TRY(Ipv4::parse(default_gateway));
  network.default_host_ip = TRY(Ipv4::parse(default_host_ip));
  network.mtu = mtu;
  network.icc = icc;
  network.masquerade = masquerade;
  network.unprotected = unprotected;
  network.is_default = is_default;
  network.bridge_is_ours = bridge_is_ours;
  network.config = config;
  return network;
}

EndpointRow EndpointRow::of(const Endpoint& endpoint) {
  EndpointRow row{.id = endpoint.id.str(),
                  .network = endpoint.network.str(),
                  .network_name = endpoint.network_name,
                  .container = endpoint.container.str(),
                  .container_name = endpoint.container_name,
                  .host_interface = endpoint.host_interface,
                  .address = endpoint.address.str(),
                  .gateway = endpoint.gateway.str(),
                  .mac = endpoint.mac.str(),
                  .prefix_length = endpoint.prefix_length,
                  .aliases = endpoint.aliases};
  for (const PortBinding& port : endpoint.ports) {
    row.ports.push_back({.protocol = std::string{name_of(port.protocol)},
                         .host_ip = port.host_ip.str(),
                         .container_port = port.container_port,
                         .host_port = port.host_port});
  }
  return row;
}

base::Result<Endpoint> EndpointRow::value() const {
  Endpoint endpoint;
  endpoint.id = EndpointId{id};
  endpoint.network = base::NetworkId{network};
  endpoint.network_name = network_name;
  endpoint.container = base::ContainerId{container};
  endpoint.container_name = container_name;
  endpoint.host_interface = host_interface;
  endpoint.address = TRY(Ipv4::parse(address));
  endpoint.prefix_length = prefix_length;
  endpoint.gateway = TRY(Ipv4::parse(gateway));
  endpoint.mac = TRY(Mac::parse(mac));
  endpoint.aliases = aliases;
  for (const PortRow& port : ports) {
    PortBinding binding;
    binding.protocol = TRY(parse_protocol(port.protocol));
    binding.container_port = port.container_port;
    binding.host_ip = TRY(Ipv4::parse(port.host_ip));
    binding.host_port = port.host_port;
    endpoint.ports.push_back(binding);
  }
  return endpoint;
}

}  // namespace net::detail
