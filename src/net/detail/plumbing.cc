#include "net/detail/plumbing.h"

#include <algorithm>

#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/scope_guard.h"
#include "base/strings.h"
#include "sys/crash_point.h"
#include "sys/file.h"
#include "sys/rtnetlink.h"

namespace net::detail {
namespace {

constexpr std::string_view kPortPrefix = "csn";
constexpr std::size_t kPortNameLength = 15;
constexpr const char* kForwarding = "/proc/sys/net/ipv4/ip_forward";

base::Error explain(base::Error error, std::string_view feature, std::string_view option) {
  if (!error.is(base::ErrorKind::NotImplemented)) return error;
  return std::move(error).context("this kernel has no " + std::string{feature} + " (" + std::string{option} +
                                  ")");
}

base::Result<> set_bridge_address(sys::RouteSocket& socket, const Network& network, const sys::Link& link) {
  sys::RouteBatch batch;
  bool present = false;
  for (const sys::LinkAddress& address : TRY(socket.addresses())) {
    if (address.link != link.index || address.address.family != AF_INET) continue;
    const bool wanted = address.address.v4_value() == network.gateway.value() &&
                        address.prefix_length == network.subnet.length();
    if (wanted) present = true;
    if (!wanted && network.bridge_is_ours) {
      batch.delete_address(link.index, address.address, address.prefix_length);
    }
  }
  if (!present) {
    batch.add_address(link.index, sys::InetAddress::v4(network.gateway.value()), network.subnet.length());
  }
  if (network.bridge_is_ours && link.mtu != network.mtu) batch.set_mtu(network.bridge, network.mtu);
  if (!link.up) batch.set_up(network.bridge);
  return socket.run(batch);
}

void allow_loopback_to_published_ports(const std::string& bridge) {
  const auto written =
      sys::write_file(sys::kCwd, "/proc/sys/net/ipv4/conf/" + bridge + "/route_localnet", "1");
  if (!written) {
    base::log::warn("published ports can't be reached through 127.0.0.1: {}", written.error().message());
  }
}

/// In the calling thread's network namespace.
void disable_ipv6(const std::string& interface) {
  const auto written =
      sys::write_file(sys::kCwd, "/proc/sys/net/ipv6/conf/" + interface + "/disable_ipv6", "1");
  if (!written && !written.failed_as(base::ErrorKind::NotFound)) {  // NotFound: a kernel without IPv6
    base::log::debug("IPv6 stays on: {}", written.error().message());
  }
}

bool is_ours(const std::string& name) {
  return name.size() == kPortNameLength && name.starts_with(kPortPrefix);
}

}  // namespace

std::string port_name(const EndpointId& id) {
  return std::string{kPortPrefix} + id.str().substr(0, kPortNameLength - kPortPrefix.size());
}

base::Result<Bridge> ensure_bridge(const Network& network) {
  auto socket = TRY(sys::RouteSocket::open());
  Bridge bridge;
  auto link = socket.link(network.bridge);
  if (!link) {
    if (!link.failed_as(base::ErrorKind::NotFound)) return std::move(link).error();
    sys::RouteBatch batch;
    // With an address of its own the bridge keeps it when ports come and go; derived from the gateway
    // it is the same after the bridge was made anew, so that containers' ARP caches stay right.
    batch.create_bridge({.name = network.bridge, .mac = Mac::of(network.gateway).bytes, .mtu = network.mtu});
    if (auto made = socket.run(batch); !made && !made.failed_as(base::ErrorKind::Conflict)) {
      return explain(std::move(made).error(), "bridges", "CONFIG_BRIDGE");
    } else {
      bridge.created = made.has_value();
    }
    link = TRY(socket.link(network.bridge));
  }
  if (link->kind != "bridge") {
    return base::conflict("interface " + network.bridge +
                          " is no bridge: choose another name for the bridge of network " + network.name);
  }
  bridge.index = link->index;
  auto undo = base::ScopeGuard{[&] {
    if (bridge.created) base::ignore(remove_interface(network.bridge), "the cause is returned");
  }};
  // Before it is up: a container must not become the host's IPv6 router by advertising itself
  // (CVE-2020-13401).
  if (network.bridge_is_ours) disable_ipv6(network.bridge);
  TRY(set_bridge_address(socket, network, *link));
  allow_loopback_to_published_ports(network.bridge);
  undo.release();
  return bridge;
}

base::Result<bool> interface_exists(const std::string& name) {
  auto socket = TRY(sys::RouteSocket::open());
  const auto link = socket.link(name);
  if (!link && !link.failed_as(base::ErrorKind::NotFound)) return base::Error{link.error()};
  return link.has_value();
}

base::Result<std::vector<InterfaceAddress>> addresses_of(const std::string& interface) {
  auto socket = TRY(sys::RouteSocket::open());
  std::vector<InterfaceAddress> found;
  const auto link = socket.link(interface);
  if (link.failed_as(base::ErrorKind::NotFound)) return found;
  if (!link) return base::Error{link.error()};
  for (const sys::LinkAddress& address : TRY(socket.addresses())) {
    if (address.link != link->index || address.address.family != AF_INET) continue;
    const Ipv4 ip{address.address.v4_value()};
    found.push_back({ip, Subnet{ip, address.prefix_length}});
  }
  return found;
}

base::Result<> remove_interface(const std::string& name) {
  auto socket = TRY(sys::RouteSocket::open());
  sys::RouteBatch batch;
  batch.delete_link(name);
  auto removed = socket.run(batch);
  if (!removed && !removed.failed_as(base::ErrorKind::NotFound)) return removed;
  return {};
}

base::Result<> remove_interfaces(std::span<const std::string> names) {
  auto socket = TRY(sys::RouteSocket::open());
  sys::RouteBatch batch;
  batch.delete_links(names);
  auto removed = socket.run(batch);
  if (!removed && !removed.failed_as(base::ErrorKind::NotFound)) return removed;
  return {};
}

base::Result<std::vector<Subnet>> host_subnets(const std::string& except) {
  auto socket = TRY(sys::RouteSocket::open());
  std::uint32_t excluded = 0;
  if (const auto link = socket.link(except)) excluded = link->index;
  std::vector<Subnet> used;
  for (const sys::Route& route : TRY(socket.routes())) {
    if (route.destination.family != AF_INET || route.type != RTN_UNICAST) continue;
    if (route.link == excluded && excluded != 0) continue;
    used.emplace_back(Ipv4{route.destination.v4_value()}, route.prefix_length);
  }
  for (const sys::LinkAddress& address : TRY(socket.addresses())) {
    if (address.address.family != AF_INET || (address.link == excluded && excluded != 0)) continue;
    used.emplace_back(Ipv4{address.address.v4_value()}, address.prefix_length);
  }
  return used;
}

base::Result<> plug(const Network& network, std::uint32_t bridge, const Endpoint& endpoint, int netns,
                    const AttachOptions& options) {
  auto host = TRY(sys::RouteSocket::open());
  sys::RouteBatch create;
  create.create_veth({.name = endpoint.host_interface,
                      .mtu = network.mtu,
                      .master = bridge,
                      .peer_name = options.interface,
                      .peer_mac = endpoint.mac.bytes,
                      .peer_netns = netns});
  // Hairpin: a container that reaches itself through its published port.
  create.set_bridge_port(endpoint.host_interface, {.hairpin = true, .isolated = !network.icc});
  auto undo = base::ScopeGuard{
      [&] { base::ignore(remove_interface(endpoint.host_interface), "the cause is returned"); }};
  if (auto made = host.run(create); !made) {
    // The name is unique to the endpoint, so what has it already is ours and plugged in: keep it.
    if (made.failed_as(base::ErrorKind::Conflict)) undo.release();
    return explain(std::move(made).error(), "veth devices", "CONFIG_VETH");
  }
  // Neither end has IPv6. The host's would greet every port of the bridge with neighbour discovery and
  // multicast listener reports, which doubles the cost of an attach at 900 containers; the container's
  // would give itself an address (fe80::…) that nobody assigned.
  disable_ipv6(endpoint.host_interface);
  sys::RouteBatch up;
  up.set_up(endpoint.host_interface);
  TRY(host.run(up));
  CRASH_POINT("net.attach.link");
  TRY(sys::inject("net.attach.link"));

  auto inside = TRY(sys::RouteSocket::open_in(netns, [&]() -> base::Result<> {
    disable_ipv6(options.interface);
    return {};
  }));
  sys::RouteBatch find;
  find.set_up("lo");
  find.get_link(options.interface);
  const auto links = TRY(inside.run_links(find));
  if (links.empty()) return base::internal("interface " + options.interface + " is not in the container");
  sys::RouteBatch set_up;
  set_up.add_address(links[0].index, sys::InetAddress::v4(endpoint.address.value()), endpoint.prefix_length);
  set_up.set_up(options.interface);
  if (options.default_route && !endpoint.gateway.is_any()) {
    set_up.add_route({.gateway = sys::InetAddress::v4(endpoint.gateway.value()), .link = links[0].index});
  }
  TRY(inside.run(set_up));
  // The host's end has seen its carrier come just now, and it carries packets only once the kernel's
  // link watch has noticed; until then a first packet is lost, and sent again after a second. The same
  // holds for a bridge that gets its first port. Asking for a link makes the kernel notice at once
  // (rtnl_getlink, Linux 6.8; before, it takes the link watch's time).
  sys::RouteBatch notice;
  notice.get_link(endpoint.host_interface);
  notice.get_link(network.bridge);
  TRY(host.run(notice));
  CRASH_POINT("net.attach.inside");
  TRY(sys::inject("net.attach.inside"));
  undo.release();
  return {};
}

base::Result<> cut_off(const std::string& interface) {
  auto socket = TRY(sys::RouteSocket::open());
  sys::RouteBatch batch;
  batch.set_up(interface, false);
  auto done = socket.run(batch);
  if (!done && !done.failed_as(base::ErrorKind::NotFound)) return done;
  return {};
}

base::Result<> rejoin(const Network& network, std::uint32_t bridge, std::span<const std::string> interfaces) {
  auto socket = TRY(sys::RouteSocket::open());
  sys::RouteBatch batch;
  for (const sys::Link& link : TRY(socket.links())) {
    if (link.master == bridge || !std::ranges::binary_search(interfaces, link.name)) continue;
    batch.set_master(link.name, bridge);
    batch.set_bridge_port(link.name, {.hairpin = true, .isolated = !network.icc});
  }
  return socket.run(batch);
}

base::Result<std::vector<std::string>> our_ports(std::span<const std::uint32_t> bridges) {
  auto socket = TRY(sys::RouteSocket::open());
  std::vector<std::string> found;
  for (sys::Link& link : TRY(socket.links())) {
    if (link.kind == "veth" && is_ours(link.name) &&
        std::ranges::find(bridges, link.master) != bridges.end()) {
      found.push_back(std::move(link.name));
    }
  }
  return found;
}

bool switch_forwarding_on() {
  const auto present = sys::read_file(sys::kCwd, kForwarding);
  if (present && base::trim(*present) == "1") return false;
  const auto written = sys::write_file(sys::kCwd, kForwarding, "1");
  if (!written) {
    base::log::warn("containers can't reach other hosts: {}; set net.ipv4.ip_forward to 1",
                    written.error().message());
  }
  return written.has_value();
}

}  // namespace net::detail
