#include "cli/container/network.h"

#include <algorithm>
#include <array>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "base/strings.h"
#include "cli/container/options.h"
#include "cli/csv.h"

namespace cli {

using base::Result;

namespace {

/// The address in its shortest form, or "".
std::string canonical_address(std::string_view text) {
  const std::string address{base::trim(text)};
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  std::array<char, INET6_ADDRSTRLEN> out{};
  for (const int family : {AF_INET, AF_INET6}) {
    if (::inet_pton(family, address.c_str(), bytes.data()) == 1 &&
        ::inet_ntop(family, bytes.data(), out.data(), out.size()) != nullptr) {
      return out.data();
    }
  }
  return {};
}

bool is_word(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

/// Whether it is written as `key=value,…` and not as a name.
bool is_long_form(std::string_view text) {
  const auto pair = base::cut(text, "=");
  return pair && is_word(pair->first) && !pair->second.empty();
}

bool is_alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

bool is_domain(std::string_view text) {
  if (text.empty() || text.size() > 255) return false;
  if (std::ranges::none_of(text, [](char c) { return is_alnum(c) && (c < '0' || c > '9'); })) return false;
  if (text.ends_with('.')) text.remove_suffix(1);
  return std::ranges::all_of(base::split(text, '.'), [](std::string_view label) {
    return !label.empty() && is_alnum(label.front()) && is_alnum(label.back()) &&
           std::ranges::all_of(label, [](char c) { return is_alnum(c) || c == '-'; });
  });
}

base::Error conflicting(std::string_view flag, std::string_view what) {
  return base::invalid(
      fmt::format("conflicting options: cannot specify both {} and per-network {}", flag, what));
}

/// --ip, --network-alias and the like are options of the first network.
Result<> apply_flags(NetworkAttachment& network, const ContainerOptions& options) {
  if (!network.aliases.empty() && !options.aliases.empty()) return conflicting("--network-alias", "alias");
  if (!network.links.empty() && !options.links.empty()) return conflicting("--link", "links");
  if (!network.ip.empty() && !options.ip.empty()) return conflicting("--ip", "IPv4 address");
  if (!network.ip6.empty() && !options.ip6.empty()) return conflicting("--ip6", "IPv6 address");
  if (!network.mac_address.empty() && !options.mac_address.empty()) {
    return conflicting("--mac-address", "MAC address");
  }
  if (!network.link_local_ips.empty() && !options.link_local_ips.empty()) {
    return conflicting("--link-local-ip", "link-local IP addresses");
  }
  if (!options.aliases.empty()) network.aliases = options.aliases;
  // On the default bridge a link is the container's own affair.
  if (!options.links.empty() && is_user_defined_network(network.target)) network.links = options.links;
  if (!options.ip.empty()) network.ip = options.ip;
  if (!options.ip6.empty()) network.ip6 = options.ip6;
  if (!options.mac_address.empty()) network.mac_address = options.mac_address;
  if (!options.link_local_ips.empty()) network.link_local_ips = options.link_local_ips;
  return {};
}

Result<spec::api::EndpointSettings> endpoint_of(const NetworkAttachment& network) {
  if (base::trim(network.target).empty()) return base::invalid("no name set for network");
  if (!is_user_defined_network(network.target)) {
    if (!network.aliases.empty()) {
      return base::invalid("network-scoped aliases are only supported for user-defined networks");
    }
    if (!network.links.empty()) return base::invalid("links are only supported for user-defined networks");
  }
  spec::api::EndpointSettings out;
  out.gw_priority = network.gw_priority;
  if (!network.aliases.empty()) out.aliases = network.aliases;
  if (!network.links.empty()) out.links = network.links;
  if (!network.driver_options.empty()) out.driver_opts = network.driver_options;
  if (!network.ip.empty() || !network.ip6.empty() || !network.link_local_ips.empty()) {
    out.ipam_config = spec::api::EndpointIpamConfig{network.ip, network.ip6, network.link_local_ips};
  }
  if (!network.mac_address.empty() && !is_mac_address(network.mac_address)) {
    return base::invalid(fmt::format("{} is not a valid mac address", network.mac_address));
  }
  out.mac_address = network.mac_address;
  return out;
}

bool has_settings(const NetworkAttachment& network) {
  return !network.aliases.empty() || !network.links.empty() || !network.driver_options.empty() ||
         !network.ip.empty() || !network.ip6.empty() || !network.mac_address.empty() ||
         !network.link_local_ips.empty() || network.gw_priority != 0;
}

}  // namespace

bool is_user_defined_network(std::string_view mode) {
  return mode != "default" && mode != "bridge" && mode != "host" && mode != "none" &&
         !mode.starts_with("container:");
}

bool is_ip_address(std::string_view text) { return !canonical_address(text).empty(); }

bool is_mac_address(std::string_view text) {
  const char separator = text.find('-') != std::string_view::npos   ? '-'
                         : text.find('.') != std::string_view::npos ? '.'
                                                                    : ':';
  const auto parts = base::split(text, separator);
  const std::size_t digits = separator == '.' ? 4 : 2;
  const std::size_t bytes = parts.size() * digits / 2;
  return (bytes == 6 || bytes == 8 || bytes == 20) && std::ranges::all_of(parts, [&](std::string_view part) {
           return part.size() == digits &&
                  part.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
         });
}

Result<> add_network(std::vector<NetworkAttachment>& networks, std::string_view text) {
  NetworkAttachment network;
  if (!is_long_form(text)) {
    network.target = text;
    networks.push_back(std::move(network));
    return {};
  }
  for (const auto& field : TRY(parse_csv(text))) {
    const auto pair = base::cut(field, "=");
    if (!pair) return base::invalid(fmt::format("invalid field {}", field));
    const std::string key = base::to_lower(base::trim(pair->first));
    const std::string value{base::trim(pair->second)};
    if (key == "name") {
      network.target = value;
    } else if (key == "alias") {
      network.aliases.push_back(value);
    } else if (key == "ip") {
      network.ip = value;
    } else if (key == "ip6") {
      network.ip6 = value;
    } else if (key == "mac-address") {
      if (!is_mac_address(value)) return base::invalid(fmt::format("{} is not a valid mac address", value));
      network.mac_address = value;
    } else if (key == "link-local-ip") {
      network.link_local_ips.push_back(value);
    } else if (key == "driver-opt") {
      const auto option = base::cut(value, "=");
      if (!option) return base::invalid("invalid key value pair format in driver options");
      network.driver_options[base::to_lower(base::trim(option->first))] = base::trim(option->second);
    } else if (key == "gw-priority") {
      const auto priority = base::parse_int(value);
      if (!priority) {
        return base::invalid(fmt::format("invalid gw-priority: strconv.Atoi: parsing {}: invalid syntax",
                                         base::quoted(value)));
      }
      network.gw_priority = *priority;
    } else {
      return base::invalid(fmt::format("invalid field key {}", key));
    }
  }
  if (network.target.empty()) return base::invalid("network name/id is not specified");
  networks.push_back(std::move(network));
  return {};
}

Result<spec::api::NetworkingConfig> networking_config(const ContainerOptions& options) {
  spec::api::NetworkingConfig out;
  auto networks = options.networks;
  const bool defaulted = networks.empty();
  if (defaulted) networks.push_back({.target = "default"});
  bool user_defined = false;
  bool predefined = false;
  for (auto& network : networks) {
    (is_user_defined_network(network.target) ? user_defined : predefined) = true;
    if (&network == networks.data()) TRY(apply_flags(network, options));
    auto endpoint = TRY(endpoint_of(network));
    if (out.endpoints_config.contains(network.target)) {
      return base::invalid(
          fmt::format("network {} is specified multiple times", base::quoted(network.target)));
    }
    // A single network without options is named by the network mode already.
    if (!defaulted && networks.size() == 1 && !has_settings(network)) continue;
    out.endpoints_config[network.target] = std::move(endpoint);
  }
  if (user_defined && predefined) {
    return base::invalid(
        "conflicting options: cannot attach both user-defined and non-user-defined network-modes");
  }
  return out;
}

Result<> add_extra_host(std::vector<std::string>& hosts, std::string_view text) {
  auto pair = base::cut(text, "=");
  if (!pair) pair = base::cut(text, ":");
  if (!pair || pair->first.empty() || pair->first.find(':') != std::string_view::npos) {
    return base::invalid("bad format for add-host: " + base::quoted(text));
  }
  std::string_view address = pair->second;
  if (address != "host-gateway") {
    if (address.size() > 2 && address.starts_with('[') && address.ends_with(']')) {
      address = address.substr(1, address.size() - 2);
    }
    if (!is_ip_address(address)) {
      return base::invalid("invalid IP address in add-host: " + base::quoted(address));
    }
  }
  hosts.push_back(fmt::format("{}:{}", pair->first, address));
  return {};
}

Result<> add_link(std::vector<std::string>& links, std::string_view text) {
  if (text.empty()) return base::invalid("empty string specified for links");
  if (base::split(text, ':').size() > 2) return base::invalid(fmt::format("bad format for links: {}", text));
  links.emplace_back(text);
  return {};
}

Result<> add_ip_address(std::vector<std::string>& addresses, std::string_view text) {
  std::string address = canonical_address(text);
  if (address.empty()) return base::invalid(fmt::format("IP address is not correctly formatted: {}", text));
  addresses.push_back(std::move(address));
  return {};
}

Result<> add_dns_search(std::vector<std::string>& domains, std::string_view text) {
  const auto domain = base::trim(text);
  if (domain != "." && !is_domain(domain)) {
    return base::invalid(fmt::format("{} is not a valid domain", domain));
  }
  domains.emplace_back(domain);
  return {};
}

}  // namespace cli
