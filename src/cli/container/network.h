#pragma once
/// --network in its short and long form, and the endpoints that it asks for.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "spec/engine/container.h"

namespace cli {

struct ContainerOptions;

struct NetworkAttachment {
  std::string target, ip, ip6, mac_address;
  std::vector<std::string> aliases, links, link_local_ips;
  std::map<std::string, std::string> driver_options;
  std::int64_t gw_priority = 0;
};

/// For flags::custom: "net" or "name=net,alias=a,ip=…". Errors: InvalidArgument.
base::Result<> add_network(std::vector<NetworkAttachment>& networks, std::string_view text);

/// False for default, bridge, host, none and container:….
[[nodiscard]] bool is_user_defined_network(std::string_view mode);

/// The endpoints of all --network flags; --ip and the like belong to the first one.
base::Result<spec::api::NetworkingConfig> networking_config(const ContainerOptions& options);

// Validators of other network flags, for flags::custom.
base::Result<> add_extra_host(std::vector<std::string>& hosts, std::string_view text);
base::Result<> add_link(std::vector<std::string>& links, std::string_view text);
base::Result<> add_ip_address(std::vector<std::string>& addresses, std::string_view text);
base::Result<> add_dns_search(std::vector<std::string>& domains, std::string_view text);
[[nodiscard]] bool is_ip_address(std::string_view text);
[[nodiscard]] bool is_mac_address(std::string_view text);

}  // namespace cli
