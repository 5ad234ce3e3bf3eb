#include "engine/containers/networks.h"

#include <algorithm>

#include "base/log.h"
#include "base/scope_guard.h"
#include "base/strings.h"

namespace engine {
namespace {

using spec::api::EndpointSettings;
using spec::api::StringList;

base::Result<net::PortBinding> parse_port(std::string_view spec) {
  const auto parts = base::cut(spec, "/");
  const auto number = base::parse_uint(parts ? parts->first : spec);
  if (!number || *number == 0 || *number > 65535) {
    return base::invalid("invalid port specification: " + base::quoted(spec));
  }
  net::PortBinding binding;
  binding.protocol = TRY(net::parse_protocol(parts ? parts->second : "tcp"));
  binding.container_port = static_cast<std::uint16_t>(*number);
  return binding;
}

base::Result<net::PortBinding> with_host_part(net::PortBinding binding, const spec::api::PortBinding& asked) {
  if (asked.host_ip.find(':') != std::string::npos) {
    return base::not_implemented("publishing a port on the IPv6 address " + asked.host_ip + " is not supported");
  }
  if (!asked.host_ip.empty()) binding.host_ip = TRY(net::Ipv4::parse(asked.host_ip));
  if (asked.host_port.empty()) return binding;
  const auto range = base::cut(asked.host_port, "-");
  const auto first = base::parse_uint(range ? range->first : std::string_view{asked.host_port});
  const auto last = range ? base::parse_uint(range->second) : first;
  if (!first || !last || *last > 65535 || *last < *first) {
    return base::invalid("invalid port specification: " + base::quoted(asked.host_port));
  }
  binding.host_port = static_cast<std::uint16_t>(*first);
  if (*last > *first) binding.host_port_end = static_cast<std::uint16_t>(*last);
  return binding;
}

/// docker's words for a port that is taken: `Bind for 0.0.0.0:8080 failed: port is already allocated`.
base::Error connectivity_error(base::Error error, const Record& record) {
  if (error.is(base::ErrorKind::Conflict) && error.message().find("port") != std::string::npos) {
    return std::move(error)
        .context("failed to set up container networking: driver failed programming external connectivity on endpoint " +
                 record.name)
        .as(base::ErrorKind::Internal);
  }
  return error;
}

/// The one whose ports are published and whose gateway is the default: NetworkMode's.
std::vector<std::string> in_order(const Record& record) {
  std::vector<std::string> names;
  if (record.networks.contains(record.host.network_mode)) names.push_back(record.host.network_mode);
  for (const auto& [name, settings] : record.networks) {
    if (name != record.host.network_mode) names.push_back(name);
  }
  return names;
}

}  // namespace

bool has_endpoints(const Record& record) {
  const std::string& mode = record.host.network_mode;
  return mode != "host" && mode != "none" && joined_container(mode).empty() && !record.config.network_disabled;
}

std::string main_network(const Record& record) {
  const auto networks = in_order(record);
  return networks.empty() ? std::string{} : networks.front();
}

base::Result<std::vector<net::PortBinding>> published_ports(const Record& record) {
  std::vector<net::PortBinding> ports;
  const auto& bindings = record.host.port_bindings;
  if (bindings) {
    for (const auto& [spec, list] : *bindings) {
      const net::PortBinding port = TRY(parse_port(spec));
      for (const spec::api::PortBinding& asked : list.value_or(std::vector<spec::api::PortBinding>{})) {
        ports.push_back(TRY(with_host_part(port, asked)));
      }
      if (list && list->empty()) ports.push_back(port);
    }
  }
  if (record.host.publish_all_ports && record.config.exposed_ports) {
    for (const auto& [spec, none] : *record.config.exposed_ports) {
      if (!bindings || !bindings->contains(spec)) ports.push_back(TRY(parse_port(spec)));
    }
  }
  return ports;
}

base::Result<net::EndpointRequest> endpoint_request(const Record& record, const net::Network& network,
                                               const EndpointSettings& settings, bool first) {
  net::EndpointRequest request{.container = base::ContainerId{record.id}, .container_name = record.name,
                               .network = network.id};
  if (settings.ipam_config && !settings.ipam_config->ipv4_address.empty()) {
    request.address = TRY(net::Ipv4::parse(settings.ipam_config->ipv4_address));
  }
  const std::string& mac = !settings.mac_address.empty() || !first ? settings.mac_address : record.config.mac_address;
  if (!mac.empty()) request.mac = TRY(net::Mac::parse(mac));
  request.aliases = settings.aliases.value_or(StringList{});
  if (first) request.ports = TRY(published_ports(record));
  return request;
}

void publish_endpoint(Core& core, const net::Endpoint& endpoint, std::string_view action) {
  core.events.publish("network", action, endpoint.network.str(),
                      {{"name", endpoint.network_name}, {"type", "bridge"}, {"container", endpoint.container.str()}});
}

base::Result<std::vector<net::Endpoint>> reserve_networks(Core& core, const Record& record) {
  std::vector<net::Endpoint> endpoints;
  if (!has_endpoints(record)) return endpoints;
  base::ScopeGuard undo{[&] {
    for (const net::Endpoint& endpoint : endpoints) {
      base::ignore(core.network.release(endpoint.id), "the cause is reported; recover() finds the rest");
    }
  }};
  for (const std::string& name : in_order(record)) {
    const auto network = core.network.find_network(name);
    if (!network) {
      if (network.error().is(base::ErrorKind::NotFound)) return base::not_found("network " + name + " not found");
      return base::Error{network.error()};
    }
    const auto request = TRY(endpoint_request(record, *network, record.networks.at(name), endpoints.empty()));
    auto endpoint = core.network.reserve(request);
    if (!endpoint) return connectivity_error(std::move(endpoint).error(), record);
    endpoints.push_back(*std::move(endpoint));
  }
  undo.release();
  return endpoints;
}

namespace {

const EndpointSettings& settings_for(const Record& record, const net::Endpoint& endpoint) {
  static const EndpointSettings kNone;
  const std::string* key = network_key(record, endpoint.network_name, endpoint.network);
  return key == nullptr ? kNone : record.networks.at(*key);
}

}  // namespace

std::size_t way_out(const Record& record, const std::vector<net::Endpoint>& endpoints) {
  std::size_t best = endpoints.size();
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    if (endpoints[i].gateway.is_any()) continue;
    if (best == endpoints.size() ||
        settings_for(record, endpoints[i]).gw_priority > settings_for(record, endpoints[best]).gw_priority) {
      best = i;
    }
  }
  return best;
}

std::string interface_name(const EndpointSettings& settings, std::size_t number) {
  const auto options = settings.driver_opts.value_or(spec::api::Labels{});
  const auto wanted = options.find("com.docker.network.endpoint.ifname");
  return wanted != options.end() ? wanted->second : "eth" + std::to_string(number);
}

base::Result<> attach_networks(Core& core, const Record& record, const std::vector<net::Endpoint>& endpoints,
                               int netns) {
  const std::size_t leads_out = way_out(record, endpoints);
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    const net::AttachOptions options{.interface = interface_name(settings_for(record, endpoints[i]), i),
                                     .default_route = i == leads_out};
    if (auto attached = core.network.attach(endpoints[i], netns, options); !attached) {
      return connectivity_error(std::move(attached).error(), record);
    }
    publish_endpoint(core, endpoints[i], "connect");
  }
  return {};
}

void disconnect_networks(Core& core, const Record& record, Announce announce) {
  if (!has_endpoints(record)) return;
  const auto endpoints = core.network.endpoints_of(base::ContainerId{record.id});
  for (const net::Endpoint& endpoint : endpoints) {
    if (const auto released = core.network.release(endpoint.id); !released) {
      base::log::error("container {}: its place in network {} is not free: {}", record.id, endpoint.network_name,
                       released.error().message());
    }
    if (announce == Announce::Yes) publish_endpoint(core, endpoint, "disconnect");
  }
  tell_neighbours(core, record.id, networks_of(endpoints));
}

namespace {

EndpointSettings shown(const Record& record, const EndpointSettings& asked, const net::Endpoint& endpoint) {
  EndpointSettings settings = asked;
  settings.network_id = endpoint.network.str();
  settings.endpoint_id = endpoint.id.str();
  settings.gateway = endpoint.gateway.is_any() ? "" : endpoint.gateway.str();
  settings.ip_address = endpoint.address.str();
  settings.ip_prefix_len = endpoint.prefix_length;
  settings.mac_address = endpoint.mac.str();
  if (endpoint.network_name == "bridge") return settings;  // nobody is found by name there
  StringList names;
  const auto add = [&](const std::string& name) {
    if (!name.empty() && std::ranges::find(names, name) == names.end()) names.push_back(name);
  };
  add(record.name);
  for (const std::string& alias : asked.aliases.value_or(StringList{})) add(alias);
  add(record.id.substr(0, 12));
  settings.dns_names = std::move(names);
  return settings;
}

spec::api::PortMap shown_ports(const Record& record, const std::vector<net::Endpoint>& endpoints) {
  spec::api::PortMap ports;
  if (record.config.exposed_ports && !endpoints.empty()) {
    for (const auto& [spec, none] : *record.config.exposed_ports) ports[spec] = std::nullopt;
  }
  for (const net::Endpoint& endpoint : endpoints) {
    for (const net::PortBinding& binding : endpoint.ports) {
      auto& list = ports[std::to_string(binding.container_port) + "/" + std::string{net::name_of(binding.protocol)}];
      if (!list) list.emplace();
      list->push_back({binding.host_ip.str(), std::to_string(binding.host_port)});
    }
  }
  return ports;
}

}  // namespace

spec::api::NetworkSettings network_settings(Core& core, const Record& record) {
  spec::api::NetworkSettings settings;
  settings.networks = record.networks;
  const auto endpoints = has_endpoints(record) ? core.network.endpoints_of(base::ContainerId{record.id})
                                               : std::vector<net::Endpoint>{};
  for (const net::Endpoint& endpoint : endpoints) {
    const std::string* asked = network_key(record, endpoint.network_name, endpoint.network);
    const std::string key = asked == nullptr ? endpoint.network_name : *asked;
    settings.networks[key] = shown(record, asked == nullptr ? EndpointSettings{} : record.networks.at(*asked), endpoint);
    if (endpoint.network_name != "bridge") continue;
    const EndpointSettings& bridge = settings.networks[key];
    settings.endpoint_id = bridge.endpoint_id;
    settings.gateway = bridge.gateway;
    settings.ip_address = bridge.ip_address;
    settings.ip_prefix_len = bridge.ip_prefix_len;
    settings.mac_address = bridge.mac_address;
  }
  settings.ports = shown_ports(record, endpoints);
  if (has_process(record.state)) {
    settings.sandbox_id = record.id;
    settings.sandbox_key = "/proc/" + std::to_string(record.pid) + "/ns/net";
  }
  return settings;
}

}  // namespace engine
