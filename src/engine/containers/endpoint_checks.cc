#include "engine/containers/endpoint_checks.h"

#include <algorithm>
#include <array>

#include <arpa/inet.h>

#include "base/strings.h"
#include "engine/containers/links.h"
#include "engine/host_config.h"

namespace engine {
namespace {

using spec::api::StringList;

bool is_user_defined(const std::string& network) {
  constexpr std::array<std::string_view, 4> predefined = {"bridge", "default", "host", "none"};
  return std::ranges::find(predefined, network) == predefined.end() && joined_container(network).empty();
}

bool is_ipv6(const std::string& text) {
  struct ::in6_addr address {};
  return ::inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

base::Result<> check_address(const net::Manager& networks, const std::string& name, const std::string& text) {
  const auto address = net::Ipv4::parse(text);
  if (!address) return base::invalid("invalid IPv4 address: " + text);
  const auto network = networks.find_network(name);
  if (network && !network->subnet.contains(*address)) {
    return base::invalid("no configured subnet contains IP address " + text);
  }
  return {};
}

base::Result<> check_interface(const std::string& name) {
  constexpr std::size_t longest = 15;  // IFNAMSIZ without its NUL
  if (!name.empty() && name.size() <= longest && name != "." && name != ".." && name != "lo" &&
      name.find_first_of("/: \t\n") == std::string::npos) {
    return {};
  }
  return base::invalid("invalid interface name " + base::quoted(name) + ": at most 15 characters, no '/', ':' and space");
}

base::Result<> check(const net::Manager& networks, const std::string& name,
                     const spec::api::EndpointSettings& settings) {
  const spec::api::EndpointIpamConfig ipam = settings.ipam_config.value_or(spec::api::EndpointIpamConfig{});
  if (!is_user_defined(name)) {
    if (!ipam.ipv4_address.empty() || !ipam.ipv6_address.empty()) {
      return base::invalid("user specified IP address is supported on user defined networks only");
    }
    if (settings.aliases && !settings.aliases->empty()) {
      return base::invalid("network-scoped aliases are only supported for user-defined networks");
    }
  }
  if (!ipam.ipv4_address.empty()) TRY(check_address(networks, name, ipam.ipv4_address));
  if (!ipam.ipv6_address.empty() && !is_ipv6(ipam.ipv6_address)) {
    return base::invalid("invalid IPv6 address: " + ipam.ipv6_address);
  }
  for (const std::string& text : ipam.link_local_ips) {
    if (!net::Ipv4::parse(text) && !is_ipv6(text)) return base::invalid("invalid link-local IP address: " + text);
  }
  if (!settings.mac_address.empty()) TRY(net::Mac::parse(settings.mac_address));
  for (const auto& [option, value] : settings.driver_opts.value_or(spec::api::Labels{})) {
    if (option == "com.docker.network.endpoint.ifname") TRY(check_interface(value));
  }
  for (const std::string& link : settings.links.value_or(StringList{})) TRY(parse_link(link));
  return {};
}

}  // namespace

base::Result<> check_endpoint(const net::Manager& networks, const std::string& network,
                              const spec::api::EndpointSettings& settings) {
  auto checked = check(networks, network, settings);
  if (checked) return checked;
  return base::invalid("invalid config for network " + network + ": invalid endpoint settings:\n" +
                       checked.error().message());
}

}  // namespace engine
