#pragma once
/// Networks and endpoints of this host: the module's front door.
///
/// An endpoint's life:
///
///   reserve   address, MAC and host ports are chosen and recorded. No device, no rule.
///   attach    a veth pair whose container end is born in the container's network namespace;
///             address, default route; one nftables transaction for the published ports.
///   release   all of it undone, from whatever step it had reached. Releasing twice is no error.
///
/// Nothing here runs on the data path: the kernel forwards and translates. If the daemon dies,
/// connections go on; the next one calls `open`, which makes kernel and records equal without
/// touching established flows, and `recover`, which releases what no container uses any more.
///
/// Needs CAP_NET_ADMIN. All threads that call it are in one network namespace, the host's. A missing
/// kernel feature is NotImplemented and named.
///
/// Threads: every function is safe from any. Each network has its own lock, held for arithmetic
/// only, never across the kernel or the disk.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "net/network.h"
#include "net/records.h"
#include "sys/fd.h"

namespace net {

/// Blocks of addresses for networks without a --subnet: pieces of /`size` cut from `base`, in order.
struct AddressPool {
  Subnet base;
  unsigned size;
};
/// Docker's: 172.17.0.0/16 … 172.31.0.0/16, then 192.168.0.0/20 … 192.168.240.0/20.
[[nodiscard]] std::vector<AddressPool> default_pools();

struct Options {
  bool default_network = true;      ///< false for `--bridge none`
  std::string bridge = "caisson0";  ///< --bridge
  std::string bip;                  ///< --bip, "192.168.5.1/24"
  std::string fixed_cidr;           ///< --fixed-cidr
  std::string default_gateway;      ///< --default-gateway: not the bridge but another router
  std::vector<AddressPool> pools = default_pools();
  std::uint32_t mtu = 1500;         ///< of the default network
  bool icc = true;                  ///< of the default network
  bool masquerade = true;           ///< --ip-masq, of the default network
  Ipv4 host_ip;                     ///< --ip: where ports without a host ip are published
  bool firewall = true;             ///< --iptables; false: no rule at all, hence no ports
  bool ip_forward = true;           ///< --ip-forward: switch net.ipv4.ip_forward on
  bool ip_forward_no_drop = false;  ///< --ip-forward-no-drop
};

struct AttachOptions {
  std::string interface = "eth0";
  bool default_route = true;  ///< false for every network of a container but its first
};

/// How an endpoint leaves a container.
enum class Detach : std::uint8_t {
  /// The container has ended: its interface is cut off at once and the kernel destroys it together
  /// with the network namespace, which costs this program nothing (destroying it here: 35 ms).
  WithNamespace,
  /// The container lives on (docker network disconnect): the interface is gone on return.
  Now,
};

class Manager {
 public:
  /// Brings bridges and rules into the recorded state and creates the default network.
  /// Errors: NotImplemented (no nftables, bridge or veth in this kernel), PermissionDenied,
  /// InvalidArgument (options), Conflict (no free subnet).
  static base::Result<std::unique_ptr<Manager>> open(Options options, std::unique_ptr<Records> records);
  virtual ~Manager() = default;

  /// Errors: Conflict (name taken), InvalidArgument (subnet, option), PermissionDenied (pool
  /// overlaps, reserved name), in docker's words.
  virtual base::Result<Network> create_network(const NetworkConfig& config) = 0;
  /// Sorted by time of creation, the default one first.
  [[nodiscard]] virtual std::vector<Network> networks() const = 0;
  /// By full id, name, or unambiguous id prefix. Errors: NotFound, InvalidArgument (ambiguous).
  [[nodiscard]] virtual base::Result<Network> find_network(std::string_view name_or_id) const = 0;
  /// Errors: NotFound, PermissionDenied (endpoints exist, or it is the default network; docker
  /// answers 403 to both).
  virtual base::Result<> remove_network(const base::NetworkId& id) = 0;

  [[nodiscard]] virtual std::vector<Endpoint> endpoints_in(const base::NetworkId& network) const = 0;
  [[nodiscard]] virtual std::vector<Endpoint> endpoints_of(const base::ContainerId& container) const = 0;

  /// Chooses and records; no kernel work but the bind that proves a host port free.
  /// Errors: NotFound (network), Conflict (address or port taken, container already in this
  /// network), InvalidArgument (address outside the subnet), Unavailable (no address left).
  virtual base::Result<Endpoint> reserve(const EndpointRequest& request) = 0;
  /// `netns` is a descriptor of the container's network namespace, of which the caller keeps the
  /// ownership. Leaves nothing behind in the kernel when it fails; the reservation stays.
  virtual base::Result<> attach(const Endpoint& endpoint, int netns, const AttachOptions& options = {}) = 0;
  /// Errors are of the kernel or the disk; the address is free again only after success.
  virtual base::Result<> release(const EndpointId& id, Detach detach = Detach::WithNamespace) = 0;
  /// Publishes these ports instead of those that the endpoint has, also while it is attached: what is in
  /// both stays untouched, connections included; a wish for any port is met by one that is there. All or
  /// nothing. Errors: NotFound (endpoint), Conflict (port taken), of the kernel or the disk.
  virtual base::Result<Endpoint> set_ports(const EndpointId& id, const std::vector<PortBinding>& wanted) = 0;
  /// Makes this attached endpoint's gateway the container's way out, where it has none (it left the network
  /// that was). `netns` as for `attach`. Errors: Conflict (there is one), NotFound (no such address there).
  virtual base::Result<> lead_out(const Endpoint& endpoint, int netns) = 0;
  /// After a restart: releases every endpoint whose container is not in `live`, and destroys
  /// interfaces of endpoints that nobody knows.
  virtual base::Result<> recover(const std::vector<base::ContainerId>& live) = 0;

  /// Duplicates of the sockets that keep other programs from binding the endpoint's host ports.
  /// They are bound but serve nothing (see README.md); whoever lives as long as the container may
  /// hold them, so that the reservation outlives the daemon.
  virtual base::Result<std::vector<sys::UniqueFd>> port_guards(const EndpointId& id) = 0;

 protected:
  Manager() = default;
};

}  // namespace net
