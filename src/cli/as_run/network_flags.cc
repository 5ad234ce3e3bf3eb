/// Networks, ports and names.
#include <algorithm>

#include <fmt/format.h>

#include "base/strings.h"
#include "cli/as_run/flag_words.h"
#include "cli/container/network.h"

namespace cli {

using spec::api::ContainerInspect;
using spec::api::EndpointSettings;
using spec::api::StringList;

namespace {

/// One CSV field, quoted where it must be.
std::string field(std::string_view name, const std::string& value) {
  std::string text = fmt::format("{}={}", name, value);
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

/// "net", or "name=net,alias=a,…" when more is to be said.
std::string network_value(const std::string& name, const EndpointSettings& endpoint, const std::string& id) {
  std::string more;
  const auto add = [&](std::string_view key, const std::string& value) {
    if (!value.empty()) more += "," + field(key, value);
  };
  for (const auto& alias : endpoint.aliases.value_or(StringList{})) {
    // The daemon's own.
    if (alias != id.substr(0, 12)) add("alias", alias);
  }
  if (endpoint.ipam_config) {
    add("ip", endpoint.ipam_config->ipv4_address);
    add("ip6", endpoint.ipam_config->ipv6_address);
    for (const auto& address : endpoint.ipam_config->link_local_ips) add("link-local-ip", address);
  }
  for (const auto& [key, value] : endpoint.driver_opts.value_or(spec::api::Labels{})) {
    add("driver-opt", key + "=" + value);
  }
  if (endpoint.gw_priority != 0) add("gw-priority", fmt::to_string(endpoint.gw_priority));
  return more.empty() ? name : field("name", name) + more;
}

void add_networks(FlagWords& words, const ContainerInspect& c) {
  const std::string& mode = c.host_config.network_mode;
  const auto& networks = c.network_settings.networks;
  if (!is_user_defined_network(mode)) {
    if (mode != "default" && mode != "bridge") words.text("network", mode);
  } else {
    const auto first = networks.find(mode);
    words.add("network", first == networks.end() ? mode : network_value(mode, first->second, c.id));
  }
  for (const auto& [name, endpoint] : networks) {
    if (name != mode && is_user_defined_network(name)) words.add("network", network_value(name, endpoint, c.id));
  }
}

/// "127.0.0.1:8080:80/tcp"; tcp needs no saying.
std::string published(std::string_view port, const spec::api::PortBinding& binding) {
  std::string_view inside = port;
  if (inside.ends_with("/tcp")) inside.remove_suffix(4);
  std::string out;
  if (!binding.host_ip.empty()) {
    const bool v6 = binding.host_ip.find(':') != std::string::npos;
    out = v6 ? fmt::format("[{}]:", binding.host_ip) : binding.host_ip + ":";
  }
  if (!binding.host_port.empty() || !out.empty()) out += binding.host_port + ":";
  return out.append(inside);
}

/// "db:/web/alias" with paths as the daemon keeps them → "db:alias".
std::string link_value(std::string_view link) {
  const auto pair = base::cut(link, ":");
  if (!pair) return std::string{link};
  const auto last = [](std::string_view path) { return path.substr(path.rfind('/') + 1); };
  return fmt::format("{}:{}", last(pair->first), last(pair->second));
}

}  // namespace

void add_network_flags(FlagWords& words, const ContainerInspect& container, const spec::api::ContainerConfig& image) {
  const auto& host = container.host_config;
  add_networks(words, container);
  words.text("mac-address", container.config.mac_address);
  const auto bindings = host.port_bindings.value_or(spec::api::PortMap{});
  for (const auto& [port, ends] : bindings) {
    for (const auto& end : ends.value_or(std::vector<spec::api::PortBinding>{})) words.add("publish", published(port, end));
  }
  for (const auto& [port, nothing] : container.config.exposed_ports.value_or(spec::api::NameSet{})) {
    const bool of_image = image.exposed_ports && image.exposed_ports->contains(port);
    const bool is_published = bindings.contains(port) && bindings.at(port) && !bindings.at(port)->empty();
    if (!of_image && !is_published) words.add("expose", port);
  }
  words.flag("publish-all", host.publish_all_ports);
  for (const auto& link : host.links.value_or(StringList{})) words.add("link", link_value(link));
  words.list("add-host", host.extra_hosts);
  words.list("dns", host.dns);
  words.list("dns-option", host.dns_options);
  words.list("dns-search", host.dns_search);
}

}  // namespace cli
