#pragma once
/// Texts of the three files that the engine mounts into each container: /etc/hosts,
/// /etc/resolv.conf, /etc/hostname. Pure functions; reading and writing files is the caller's.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/address.h"

namespace net {

/// One `--add-host name:address`.
struct ExtraHost {
  std::string name;
  std::string address;
  auto operator<=>(const ExtraHost&) const = default;
};
/// "name:1.2.3.4", "name=1.2.3.4", "name:::1", "name:[::1]", "name:host-gateway"; the last becomes
/// `host_gateway`. Errors: InvalidArgument in docker's words.
base::Result<ExtraHost> parse_extra_host(std::string_view text, std::string_view host_gateway);

struct HostsFile {
  std::string hostname;
  std::string domain;                  ///< with it the line reads "ip hostname.domain hostname"
  std::vector<std::string> addresses;  ///< the container's own; none with --network none
  std::vector<ExtraHost> extra;
};
/// The loopback names, then the extra hosts, then one line per own address.
[[nodiscard]] std::string hosts_text(const HostsFile& hosts);

/// Another container, as one that shares a network with it may call it.
struct Neighbour {
  std::string address;
  std::vector<std::string> names;
  auto operator<=>(const Neighbour&) const = default;
};
/// The text with its block of neighbours replaced, or put at its end; without neighbours there is no block.
/// What stands outside of the block is the container's own and stays as it is.
[[nodiscard]] std::string with_neighbours(std::string_view text, const std::vector<Neighbour>& neighbours);

/// "hostname\n".
[[nodiscard]] std::string hostname_text(std::string_view hostname);

struct ResolvOptions {
  std::vector<std::string> nameservers;  ///< --dns; given ones replace the host's
  std::vector<std::string> search;       ///< --dns-search; "." alone means none
  std::vector<std::string> options;      ///< --dns-option
};
/// The container's resolv.conf, from the host's (`host_text`) and the user's options. Nameservers on
/// the host's loopback, which a container can't reach, are left out; with none left, Google's public
/// ones stand in, as in docker. With `host_network` nothing is left out.
[[nodiscard]] std::string resolv_text(std::string_view host_text, const ResolvOptions& options,
                                      bool host_network = false);

/// systemd-resolved writes only its own loopback address into /etc/resolv.conf: then the file to
/// read is /run/systemd/resolve/resolv.conf. Which one, given the text of /etc/resolv.conf.
[[nodiscard]] std::string_view host_resolv_path(std::string_view etc_resolv_text);

}  // namespace net
