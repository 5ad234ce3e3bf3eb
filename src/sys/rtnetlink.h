#pragma once
/// Links, addresses, routes and neighbours, without a fork of ip(8).
///
///   RouteBatch batch;
///   batch.create_bridge({.name = "br0"});
///   batch.set_up("br0");
///   TRY(socket.run(batch));               // one sendmsg, one error naming the step that failed
///
/// Interfaces are named by name or index. Sources: rtnetlink(7), linux/if_link.h, linux/rtnetlink.h.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/function_ref.h"
#include "base/result.h"
#include "sys/fd.h"
#include "sys/netlink.h"

namespace sys {

using MacBytes = std::array<std::uint8_t, 6>;

/// An IPv4 or IPv6 address in network byte order.
struct InetAddress {
  std::uint8_t family = 0;  ///< AF_INET, AF_INET6; 0: none
  std::array<std::uint8_t, 16> bytes{};

  static InetAddress v4(std::uint32_t host_order);
  /// Of an IPv4 address, in host byte order.
  [[nodiscard]] std::uint32_t v4_value() const;
  [[nodiscard]] std::span<const char> span() const;
  [[nodiscard]] explicit operator bool() const { return family != 0; }
};

struct Link {
  std::uint32_t index = 0;
  std::string name;
  std::string kind;          ///< "bridge", "veth", …; "" for hardware and lo
  std::uint32_t master = 0;  ///< the bridge it is a port of
  std::uint32_t mtu = 0;
  bool up = false;
  MacBytes mac{};
};
struct LinkAddress {
  std::uint32_t link = 0;
  InetAddress address;
  unsigned prefix_length = 0;
};
struct Route {
  InetAddress destination;  ///< family 0: the default route
  unsigned prefix_length = 0;
  InetAddress gateway;
  std::uint32_t link = 0;
  std::uint32_t table = 0;
  std::uint8_t type = 0;  ///< RTN_UNICAST, RTN_LOCAL, …
};

struct BridgeSpec {
  std::string name;
  std::optional<MacBytes> mac;  ///< without one it changes with the bridge's ports
  std::uint32_t mtu = 0;        ///< 0: the kernel's default
};
struct VethSpec {
  std::string name;
  std::uint32_t mtu = 0;
  std::uint32_t master = 0;  ///< 0: none
  bool up = false;
  std::string peer_name;
  std::optional<MacBytes> peer_mac;
  /// A namespace file, -1: this one. The peer is born there: moving it later takes 20 ms more.
  int peer_netns = -1;
};
struct BridgePort {
  bool hairpin = false;   ///< may send a frame back where it came from
  bool isolated = false;  ///< can't reach other isolated ports
};

/// Requests, in order. Each is acknowledged.
class RouteBatch : public NetlinkBatch {
 public:
  void create_bridge(const BridgeSpec& spec);
  void create_veth(const VethSpec& spec);
  void delete_link(const std::string& name);
  /// All in one go, which takes the kernel as long as one: they become a group of links for that.
  void delete_links(std::span<const std::string> names);
  void set_up(const std::string& name, bool up = true);
  void set_master(const std::string& name, std::uint32_t master);  ///< 0: none
  void set_mtu(const std::string& name, std::uint32_t mtu);
  void set_mac(const std::string& name, const MacBytes& mac);
  void rename(std::uint32_t index, const std::string& name);
  void set_bridge_port(const std::string& name, const BridgePort& port);
  /// With its broadcast address for IPv4.
  void add_address(std::uint32_t link, const InetAddress& address, unsigned prefix_length);
  void delete_address(std::uint32_t link, const InetAddress& address, unsigned prefix_length);
  void add_route(const Route& route);
  void add_neighbour(std::uint32_t link, const InetAddress& address, const MacBytes& mac);
  void get_link(const std::string& name);

 private:
  void change_link(const std::string& name, std::string subject);
  void address(std::uint16_t type, std::uint16_t flags, std::uint32_t link, const InetAddress& address,
               unsigned prefix_length, std::string_view verb);
};

class RouteSocket {
 public:
  /// In the calling thread's network namespace.
  static base::Result<RouteSocket> open();
  /// In another one, which the thread enters for the moment; what `inside` does there it does too
  /// (/proc/sys/net shows the thread's namespace). A thread that can't come back ends the process.
  static base::Result<RouteSocket> open_in(int netns);
  static base::Result<RouteSocket> open_in(int netns, base::FunctionRef<base::Result<>()> inside);

  base::Result<> run(RouteBatch& batch) { return socket_.run(batch); }
  /// As `run`, and the links that `get_link` asked for.
  base::Result<std::vector<Link>> run_links(RouteBatch& batch);
  /// Errors: NotFound.
  base::Result<Link> link(const std::string& name);
  base::Result<std::vector<Link>> links();
  base::Result<std::vector<LinkAddress>> addresses();
  base::Result<std::vector<Route>> routes();

 private:
  explicit RouteSocket(NetlinkSocket socket) : socket_{std::move(socket)} {}
  NetlinkSocket socket_;
};

/// Runs `inside` with the calling thread in `netns` and brings the thread back.
base::Result<> in_netns(int netns, base::FunctionRef<base::Result<>()> inside);

}  // namespace sys
