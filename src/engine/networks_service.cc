#include "engine/networks_service.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/log.h"
#include "base/strings.h"
#include "engine/filters.h"

namespace engine {

using base::Result;
using codec::Json;

namespace {

struct IpamPool {
  std::string subnet, ip_range, gateway;
  std::optional<spec::api::Labels> auxiliary_addresses;
};
void describe(auto& v, IpamPool& p) {
  v.opt("Subnet", p.subnet);
  v.opt("IPRange", p.ip_range);
  v.opt("Gateway", p.gateway);
  v.opt("AuxiliaryAddresses", p.auxiliary_addresses);
}
struct Ipam {
  std::string driver = "default";
  std::optional<spec::api::Labels> options;
  std::optional<std::vector<IpamPool>> config;
};
void describe(auto& v, Ipam& i) {
  v("Driver", i.driver);
  v("Options", i.options);
  v("Config", i.config);
}
struct CreateRequest {
  std::string name, driver, scope;
  bool internal = false, attachable = false, ingress = false, config_only = false;
  std::optional<bool> enable_ipv4, enable_ipv6;
  Ipam ipam;
  std::optional<spec::api::Labels> options, labels;
};
void describe(auto& v, CreateRequest& r) {
  v("Name", r.name);
  v("Driver", r.driver);
  v("Scope", r.scope);
  v("Internal", r.internal);
  v("Attachable", r.attachable);
  v("Ingress", r.ingress);
  v("ConfigOnly", r.config_only);
  v("EnableIPv4", r.enable_ipv4);
  v("EnableIPv6", r.enable_ipv6);
  v("IPAM", r.ipam);
  v("Options", r.options);
  v("Labels", r.labels);
}
struct ConnectRequest {
  std::string container;
  std::optional<spec::api::EndpointSettings> endpoint_config;
};
void describe(auto& v, ConnectRequest& r) {
  v("Container", r.container);
  v("EndpointConfig", r.endpoint_config);
}

/// What all networks show, whatever their driver.
Json frame(const std::string& name, const std::string& id, base::Time created, std::string_view driver) {
  return Json::object({{"Name", name},
                       {"Id", id},
                       {"Created", base::to_rfc3339(created)},
                       {"Scope", "local"},
                       {"Driver", driver},
                       {"EnableIPv4", true},
                       {"EnableIPv6", false},
                       {"IPAM", codec::to_json(Ipam{})},
                       {"Internal", false},
                       {"Attachable", false},
                       {"Ingress", false},
                       {"ConfigFrom", Json::object({{"Network", ""}})},
                       {"ConfigOnly", false},
                       {"Containers", Json{Json::Object{}}},
                       {"Options", Json{Json::Object{}}},
                       {"Labels", Json{Json::Object{}}}});
}

Result<net::NetworkConfig> config_of(const CreateRequest& request) {
  if (!request.driver.empty() && request.driver != "bridge") {
    return base::not_found(fmt::format("could not find plugin {} in v1 plugin registry: plugin not found", request.driver));
  }
  if (!request.scope.empty() && request.scope != "local") {
    return base::invalid("network scope " + base::quoted(request.scope) + " is not supported: only \"local\" is");
  }
  net::NetworkConfig config;
  config.name = request.name;
  config.internal = request.internal;
  config.attachable = request.attachable;
  config.enable_ipv6 = request.enable_ipv6.value_or(false);
  config.options = request.options.value_or(spec::api::Labels{});
  config.labels = request.labels.value_or(spec::api::Labels{});
  if (request.ipam.config) {
    if (request.ipam.config->size() > 1) return base::invalid("a bridge network has one IPv4 subnet");
    for (const auto& pool : *request.ipam.config) {
      config.subnet = pool.subnet;
      config.ip_range = pool.ip_range;
      config.gateway = pool.gateway;
      config.auxiliary_addresses = pool.auxiliary_addresses.value_or(spec::api::Labels{});
    }
  }
  return config;
}

bool named(const Json& network, const std::string& ref) {
  return network["Name"].as_string() == ref || network["Id"].as_string() == ref;
}

}  // namespace

std::vector<Json> NetworksService::predefined() const {
  return {frame("host", predefined_.host.str(), predefined_.created, "host"),
          frame("none", predefined_.none.str(), predefined_.created, "null")};
}

Json NetworksService::to_api(const net::Network& network, bool with_containers) const {
  Json json = frame(network.name, network.id.str(), network.created, "bridge");
  IpamPool pool{.subnet = network.subnet.str(),
                .ip_range = network.config.ip_range,
                .gateway = network.gateway.str(),
                .auxiliary_addresses = std::nullopt};
  if (!network.config.auxiliary_addresses.empty()) pool.auxiliary_addresses = network.config.auxiliary_addresses;
  json.set("IPAM", codec::to_json(Ipam{.config = std::vector{pool}}));
  json.set("Internal", network.config.internal);
  json.set("Attachable", network.config.attachable);
  json.set("Options", codec::to_json(network.config.options));
  json.set("Labels", codec::to_json(network.config.labels));
  if (!with_containers) return json;
  Json containers{Json::Object{}};
  for (const auto& endpoint : manager_.endpoints_in(network.id)) {
    const std::string name = members_.name_of(endpoint.container.str());
    containers.set(endpoint.container.str(),
                   Json::object({{"Name", name.empty() ? endpoint.container_name : name},
                                 {"EndpointID", endpoint.id.str()},
                                 {"MacAddress", endpoint.mac.str()},
                                 {"IPv4Address", fmt::format("{}/{}", endpoint.address.str(), endpoint.prefix_length)},
                                 {"IPv6Address", ""}}));
  }
  json.set("Containers", std::move(containers));
  return json;
}

Result<std::vector<Json>> NetworksService::list(const Filters& filters) {
  static constexpr std::array<std::string_view, 7> kAllowed{"dangling", "driver", "id", "label", "name", "scope", "type"};
  TRY(check_filters(filters, kAllowed));
  const auto dangling = TRY(bool_filter(filters, "dangling"));
  std::vector<Json> networks;
  for (const auto& network : manager_.networks()) {
    if (dangling && *dangling != manager_.endpoints_in(network.id).empty()) continue;
    networks.push_back(to_api(network, false));
  }
  if (!dangling || !*dangling) std::ranges::move(predefined(), std::back_inserter(networks));
  std::erase_if(networks, [&](const Json& network) {
    const bool builtin = network["Driver"].as_string() != "bridge" || network["Name"].as_string() == "bridge";
    std::map<std::string, std::string> labels;
    for (const auto& [key, value] : network["Labels"].as_object()) labels[key] = value.as_string();
    return !matches_exactly(filters, "driver", network["Driver"].as_string()) ||
           !matches_prefix(filters, "id", network["Id"].as_string()) ||
           !matches_pattern(filters, "name", network["Name"].as_string()) ||
           !matches_exactly(filters, "scope", "local") || !matches_labels(filters, "label", labels) ||
           !matches_exactly(filters, "type", builtin ? "builtin" : "custom");
  });
  return networks;
}

Result<Json> NetworksService::inspect(const std::string& ref, bool /*verbose: for swarm only*/) {
  for (auto& network : predefined()) {
    if (named(network, ref)) return std::move(network);
  }
  return to_api(TRY(manager_.find_network(ref)), true);
}

Result<Json> NetworksService::create(const Json& request) {
  const auto wanted = TRY(codec::from_json<CreateRequest>(request));
  if (wanted.name == "host" || wanted.name == "none" || wanted.name == "bridge") {
    return base::Error{base::ErrorKind::PermissionDenied,
                       "operation is not permitted on predefined " + wanted.name + " network "};
  }
  const auto network = TRY(manager_.create_network(TRY(config_of(wanted))));
  events_.publish("network", "create", network.id.str(), {{"name", network.name}, {"type", "bridge"}});
  return Json::object({{"Id", network.id.str()}, {"Warning", ""}});
}

Result<> NetworksService::remove(const std::string& ref) {
  for (const auto& network : predefined()) {
    if (!named(network, ref)) continue;
    return base::Error{base::ErrorKind::PermissionDenied, fmt::format("{} is a pre-defined network and cannot be removed",
                                                                      network["Name"].as_string())};
  }
  const auto network = TRY(manager_.find_network(ref));
  TRY(manager_.remove_network(network.id));
  events_.publish("network", "destroy", network.id.str(), {{"name", network.name}, {"type", "bridge"}});
  return {};
}

Result<std::vector<std::string>> NetworksService::prune(const Filters& filters) {
  static constexpr std::array<std::string_view, 3> kAllowed{"until", "label", "label!"};
  TRY(check_filters(filters, kAllowed));
  const auto until = TRY(until_filter(filters));
  std::vector<std::string> names;
  for (const auto& network : manager_.networks()) {
    if (network.name == "bridge" || (until && network.created > *until)) continue;
    if (!is_prunable(filters, network.config.labels)) continue;
    if (!manager_.endpoints_in(network.id).empty()) continue;
    if (const auto removed = remove(network.id.str()); !removed) {
      base::log::warn("prune: {}", removed.error().message());
      continue;
    }
    names.push_back(network.name);
  }
  events_.publish("network", "prune", "", {{"reclaimed", "0"}});
  return names;
}

Result<> NetworksService::connect(const std::string& ref, const Json& request) {
  const auto wanted = TRY(codec::from_json<ConnectRequest>(request));
  const auto network = TRY(manager_.find_network(ref));
  return members_.join_network(wanted.container, network, wanted.endpoint_config.value_or(spec::api::EndpointSettings{}));
}

Result<> NetworksService::disconnect(const std::string& ref, const std::string& container, bool force) {
  return members_.leave_network(container, TRY(manager_.find_network(ref)), force);
}

}  // namespace engine
