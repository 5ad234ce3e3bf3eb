#include "sys/rtnetlink.h"

#include <cerrno>
#include <cstring>

#include <arpa/inet.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "sys/file.h"
#include "sys/namespace.h"

namespace sys {
namespace {

constexpr std::uint16_t kChange = NLM_F_ACK;
constexpr std::uint32_t kGroupToDelete = 0xca155031;  // nobody else's: groups are small numbers, mostly 0
constexpr std::uint16_t kCreate = NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;

NetlinkBytes bytes_of(const MacBytes& mac) { return {reinterpret_cast<const char*>(mac.data()), mac.size()}; }

ifinfomsg link_header(bool up) {
  ifinfomsg header{};
  if (up) {
    header.ifi_flags = IFF_UP;
    header.ifi_change = IFF_UP;
  }
  return header;
}

template <class T>
T header_of(NetlinkBytes payload) {
  T header{};
  std::memcpy(&header, payload.data(), std::min(sizeof header, payload.size()));
  return header;
}
template <class T>
NetlinkBytes attributes_of(NetlinkBytes payload) {
  return payload.subspan(std::min<std::size_t>(NLMSG_ALIGN(sizeof(T)), payload.size()));
}

InetAddress address_of(std::uint8_t family, const NetlinkAttribute& attribute) {
  InetAddress address{.family = family};
  std::memcpy(address.bytes.data(), attribute.value.data(),
              std::min<std::size_t>(16, attribute.value.size()));
  return address;
}

Link parse_link(NetlinkBytes payload) {
  const auto header = header_of<ifinfomsg>(payload);
  Link link{.index = static_cast<std::uint32_t>(header.ifi_index), .up = (header.ifi_flags & IFF_UP) != 0};
  for_each_attribute(attributes_of<ifinfomsg>(payload), [&](const NetlinkAttribute& attribute) {
    switch (attribute.type) {
      case IFLA_IFNAME: link.name = attribute.text(); break;
      case IFLA_MASTER: link.master = attribute.u32(); break;
      case IFLA_MTU: link.mtu = attribute.u32(); break;
      case IFLA_ADDRESS:
        if (attribute.value.size() == link.mac.size()) {
          std::memcpy(link.mac.data(), attribute.value.data(), link.mac.size());
        }
        break;
      case IFLA_LINKINFO:
        for_each_attribute(attribute.value, [&](const NetlinkAttribute& info) {
          if (info.type == IFLA_INFO_KIND) link.kind = info.text();
        });
        break;
      default: break;
    }
  });
  return link;
}

LinkAddress parse_address(NetlinkBytes payload) {
  const auto header = header_of<ifaddrmsg>(payload);
  LinkAddress found{.link = header.ifa_index, .prefix_length = header.ifa_prefixlen};
  for_each_attribute(attributes_of<ifaddrmsg>(payload), [&](const NetlinkAttribute& attribute) {
    // IFA_ADDRESS is the far end of a point-to-point link; IFA_LOCAL, where there is one, is ours.
    if (attribute.type == IFA_LOCAL || (attribute.type == IFA_ADDRESS && !found.address)) {
      found.address = address_of(header.ifa_family, attribute);
    }
  });
  return found;
}

Route parse_route(NetlinkBytes payload) {
  const auto header = header_of<rtmsg>(payload);
  Route route{.prefix_length = header.rtm_dst_len, .table = header.rtm_table, .type = header.rtm_type};
  for_each_attribute(attributes_of<rtmsg>(payload), [&](const NetlinkAttribute& attribute) {
    switch (attribute.type) {
      case RTA_DST: route.destination = address_of(header.rtm_family, attribute); break;
      case RTA_GATEWAY: route.gateway = address_of(header.rtm_family, attribute); break;
      case RTA_OIF: route.link = attribute.u32(); break;
      case RTA_TABLE: route.table = attribute.u32(); break;
      default: break;
    }
  });
  return route;
}

}  // namespace

InetAddress InetAddress::v4(std::uint32_t host_order) {
  InetAddress address{.family = AF_INET};
  const std::uint32_t network_order = htonl(host_order);
  std::memcpy(address.bytes.data(), &network_order, sizeof network_order);
  return address;
}
std::uint32_t InetAddress::v4_value() const {
  std::uint32_t network_order = 0;
  std::memcpy(&network_order, bytes.data(), sizeof network_order);
  return ntohl(network_order);
}
std::span<const char> InetAddress::span() const {
  return {reinterpret_cast<const char*>(bytes.data()), family == AF_INET6 ? std::size_t{16} : std::size_t{4}};
}

void RouteBatch::create_bridge(const BridgeSpec& spec) {
  begin(RTM_NEWLINK, kCreate, link_header(false), "create bridge " + spec.name);
  put_text(IFLA_IFNAME, spec.name);
  if (spec.mac) put(IFLA_ADDRESS, bytes_of(*spec.mac));
  if (spec.mtu != 0) put_u32(IFLA_MTU, spec.mtu);
  const std::size_t info = open(IFLA_LINKINFO);
  put_text(IFLA_INFO_KIND, "bridge");
  close(info);
}

void RouteBatch::create_veth(const VethSpec& spec) {
  begin(RTM_NEWLINK, kCreate, link_header(spec.up), "create veth " + spec.name);
  put_text(IFLA_IFNAME, spec.name);
  if (spec.mtu != 0) put_u32(IFLA_MTU, spec.mtu);
  if (spec.master != 0) put_u32(IFLA_MASTER, spec.master);
  const std::size_t info = open(IFLA_LINKINFO);
  put_text(IFLA_INFO_KIND, "veth");
  const std::size_t data = open(IFLA_INFO_DATA);
  const std::size_t peer = open(VETH_INFO_PEER);
  const ifinfomsg peer_header = link_header(false);
  put_raw({reinterpret_cast<const char*>(&peer_header), sizeof peer_header});
  put_text(IFLA_IFNAME, spec.peer_name);
  if (spec.mtu != 0) put_u32(IFLA_MTU, spec.mtu);
  if (spec.peer_mac) put(IFLA_ADDRESS, bytes_of(*spec.peer_mac));
  if (spec.peer_netns >= 0) put_u32(IFLA_NET_NS_FD, static_cast<std::uint32_t>(spec.peer_netns));
  close(peer);
  close(data);
  close(info);
}

void RouteBatch::delete_link(const std::string& name) {
  begin(RTM_DELLINK, NLM_F_ACK, link_header(false), "delete interface " + name);
  put_text(IFLA_IFNAME, name);
}

void RouteBatch::delete_links(std::span<const std::string> names) {
  for (const std::string& name : names) {
    change_link(name, "mark interface " + name);
    put_u32(IFLA_GROUP, kGroupToDelete);
  }
  if (names.empty()) return;
  begin(RTM_DELLINK, NLM_F_ACK, link_header(false), "delete marked interfaces");
  put_u32(IFLA_GROUP, kGroupToDelete);
}

void RouteBatch::change_link(const std::string& name, std::string subject) {
  begin(RTM_NEWLINK, kChange, link_header(false), std::move(subject));
  put_text(IFLA_IFNAME, name);
}

void RouteBatch::set_up(const std::string& name, bool up) {
  ifinfomsg header = link_header(up);
  header.ifi_change = IFF_UP;
  begin(RTM_NEWLINK, kChange, header, (up ? "set up " : "set down ") + name);
  put_text(IFLA_IFNAME, name);
}
void RouteBatch::set_master(const std::string& name, std::uint32_t master) {
  change_link(name, "join " + name + " to a bridge");
  put_u32(IFLA_MASTER, master);
}
void RouteBatch::set_mtu(const std::string& name, std::uint32_t mtu) {
  change_link(name, "set MTU of " + name);
  put_u32(IFLA_MTU, mtu);
}
void RouteBatch::set_mac(const std::string& name, const MacBytes& mac) {
  change_link(name, "set MAC address of " + name);
  put(IFLA_ADDRESS, bytes_of(mac));
}
void RouteBatch::rename(std::uint32_t index, const std::string& name) {
  ifinfomsg header = link_header(false);
  header.ifi_index = static_cast<int>(index);
  begin(RTM_NEWLINK, kChange, header, "rename an interface to " + name);
  put_text(IFLA_IFNAME, name);
}

void RouteBatch::set_bridge_port(const std::string& name, const BridgePort& port) {
  change_link(name, "set bridge port " + name);
  const std::size_t info = open(IFLA_LINKINFO);
  put_text(IFLA_INFO_SLAVE_KIND, "bridge");
  const std::size_t data = open(IFLA_INFO_SLAVE_DATA);
  put_u8(IFLA_BRPORT_MODE, port.hairpin ? 1 : 0);
  put_u8(IFLA_BRPORT_ISOLATED, port.isolated ? 1 : 0);
  close(data);
  close(info);
}

void RouteBatch::address(std::uint16_t type, std::uint16_t flags, std::uint32_t link,
                         const InetAddress& address, unsigned prefix_length, std::string_view verb) {
  ifaddrmsg header{};
  header.ifa_family = address.family;
  header.ifa_prefixlen = static_cast<std::uint8_t>(prefix_length);
  header.ifa_index = link;
  char text[INET6_ADDRSTRLEN] = "";
  ::inet_ntop(address.family, address.bytes.data(), text, sizeof text);
  begin(type, flags, header, std::string{verb} + " address " + text);
  put(IFA_LOCAL, address.span());
  put(IFA_ADDRESS, address.span());
  if (address.family == AF_INET && prefix_length < 31) {
    const std::uint32_t host_bits = prefix_length == 0 ? ~0U : (1U << (32 - prefix_length)) - 1;
    put(IFA_BROADCAST, InetAddress::v4(address.v4_value() | host_bits).span());
  }
}
void RouteBatch::add_address(std::uint32_t link, const InetAddress& wanted, unsigned prefix_length) {
  address(RTM_NEWADDR, kCreate, link, wanted, prefix_length, "add");
}
void RouteBatch::delete_address(std::uint32_t link, const InetAddress& wanted, unsigned prefix_length) {
  address(RTM_DELADDR, NLM_F_ACK, link, wanted, prefix_length, "delete");
}

void RouteBatch::add_route(const Route& route) {
  rtmsg header{};
  header.rtm_family = route.destination ? route.destination.family : route.gateway.family;
  if (header.rtm_family == 0) header.rtm_family = AF_INET;
  header.rtm_dst_len = static_cast<std::uint8_t>(route.prefix_length);
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_protocol = RTPROT_BOOT;
  header.rtm_scope = route.gateway ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
  header.rtm_type = route.type == 0 ? static_cast<std::uint8_t>(RTN_UNICAST) : route.type;
  begin(RTM_NEWROUTE, kCreate, header, route.prefix_length == 0 ? "add default route" : "add route");
  if (route.prefix_length != 0) put(RTA_DST, route.destination.span());
  if (route.gateway) put(RTA_GATEWAY, route.gateway.span());
  if (route.link != 0) put_u32(RTA_OIF, route.link);
  if (route.table != 0) put_u32(RTA_TABLE, route.table);
}

void RouteBatch::add_neighbour(std::uint32_t link, const InetAddress& address, const MacBytes& mac) {
  ndmsg header{};
  header.ndm_family = address.family;
  header.ndm_ifindex = static_cast<int>(link);
  header.ndm_state = NUD_PERMANENT;
  begin(RTM_NEWNEIGH, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, header, "add neighbour");
  put(NDA_DST, address.span());
  put(NDA_LLADDR, bytes_of(mac));
}

void RouteBatch::get_link(const std::string& name) {
  begin(RTM_GETLINK, NLM_F_ACK, link_header(false), "find interface " + name);
  put_text(IFLA_IFNAME, name);
}

base::Result<RouteSocket> RouteSocket::open() { return RouteSocket{TRY(NetlinkSocket::open(NETLINK_ROUTE))}; }

base::Result<> in_netns(int netns, base::FunctionRef<base::Result<>()> inside) {
  const UniqueFd home = TRY(open_at(kCwd, "/proc/thread-self/ns/net", O_RDONLY));
  TRY(enter_namespaces(netns, CLONE_NEWNET).context("enter network namespace"));
  auto result = inside();
  // A thread of the daemon that stayed behind would do the host's work in a container.
  const auto back = enter_namespaces(home.get(), CLONE_NEWNET);
  CAISSON_INVARIANT(back.has_value());
  return result;
}

base::Result<RouteSocket> RouteSocket::open_in(int netns) {
  return open_in(netns, []() -> base::Result<> { return {}; });
}

base::Result<RouteSocket> RouteSocket::open_in(int netns, base::FunctionRef<base::Result<>()> inside) {
  std::optional<RouteSocket> socket;
  TRY(in_netns(netns, [&]() -> base::Result<> {
    socket.emplace(TRY(open()));
    return inside();
  }));
  return *std::move(socket);
}

base::Result<std::vector<Link>> RouteSocket::run_links(RouteBatch& batch) {
  std::vector<Link> found;
  TRY(socket_.run(batch, [&](std::uint16_t type, NetlinkBytes payload) {
    if (type == RTM_NEWLINK) found.push_back(parse_link(payload));
  }));
  return found;
}

base::Result<Link> RouteSocket::link(const std::string& name) {
  RouteBatch batch;
  batch.get_link(name);
  auto found = TRY(run_links(batch));
  if (found.empty()) return base::not_found("no interface " + name);
  return std::move(found.front());
}

base::Result<std::vector<Link>> RouteSocket::links() {
  RouteBatch batch;
  batch.begin(RTM_GETLINK, NLM_F_DUMP, ifinfomsg{}, "list interfaces");
  return run_links(batch);
}

base::Result<std::vector<LinkAddress>> RouteSocket::addresses() {
  RouteBatch batch;
  batch.begin(RTM_GETADDR, NLM_F_DUMP, ifaddrmsg{}, "list addresses");
  std::vector<LinkAddress> found;
  TRY(socket_.run(batch, [&](std::uint16_t type, NetlinkBytes payload) {
    if (type == RTM_NEWADDR) found.push_back(parse_address(payload));
  }));
  return found;
}

base::Result<std::vector<Route>> RouteSocket::routes() {
  RouteBatch batch;
  batch.begin(RTM_GETROUTE, NLM_F_DUMP, rtmsg{}, "list routes");
  std::vector<Route> found;
  TRY(socket_.run(batch, [&](std::uint16_t type, NetlinkBytes payload) {
    if (type == RTM_NEWROUTE) found.push_back(parse_route(payload));
  }));
  return found;
}

}  // namespace sys
