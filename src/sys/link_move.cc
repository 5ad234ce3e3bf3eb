#include "sys/link_move.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <vector>

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <fmt/format.h>

#include "sys/netlink.h"
#include "sys/rtnetlink.h"

namespace sys {

using base::Result;

namespace {

/// One RTM_NEWADDR as the kernel told it, to be said again elsewhere.
struct SavedAddress {
  ifaddrmsg header{};
  std::uint32_t flags = 0;
  std::vector<std::pair<std::uint16_t, std::string>> attributes;
};

/// What a user may set; the others say what became of the address.
constexpr std::uint32_t kSettableFlags =
    IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN | IFA_F_MANAGETEMPADDR;

std::optional<SavedAddress> save(NetlinkBytes payload, std::uint32_t link) {
  SavedAddress out;
  if (payload.size() < sizeof out.header) return {};
  std::memcpy(&out.header, payload.data(), sizeof out.header);
  out.flags = out.header.ifa_flags;
  if (out.header.ifa_index != link || out.header.ifa_scope != RT_SCOPE_UNIVERSE) return {};
  for_each_attribute(payload.subspan(NLMSG_ALIGN(sizeof out.header)), [&](const NetlinkAttribute& attribute) {
    switch (attribute.type) {
      case IFA_FLAGS: out.flags = attribute.u32(); break;
      case IFA_LOCAL:
      case IFA_ADDRESS:
      case IFA_BROADCAST:
      case IFA_RT_PRIORITY:
        out.attributes.emplace_back(attribute.type, std::string{attribute.value.data(), attribute.value.size()});
        break;
      default: break;  // the label has the old name in it, the cache info is about lifetimes
    }
  });
  if ((out.flags & IFA_F_PERMANENT) == 0) return {};
  return out;
}

Result<std::vector<SavedAddress>> addresses_of(NetlinkSocket& socket, std::uint32_t link) {
  NetlinkBatch batch;
  batch.begin(RTM_GETADDR, NLM_F_DUMP, ifaddrmsg{}, "list addresses");
  std::vector<SavedAddress> out;
  TRY(socket.run(batch, [&](std::uint16_t type, NetlinkBytes payload) {
    if (type != RTM_NEWADDR) return;
    if (auto saved = save(payload, link)) out.push_back(*std::move(saved));
  }));
  return out;
}

Result<NetlinkSocket> socket_in(int netns) {
  std::optional<NetlinkSocket> out;
  TRY(in_netns(netns, [&]() -> Result<> {
    out.emplace(TRY(NetlinkSocket::open(NETLINK_ROUTE)));
    return {};
  }));
  return *std::move(out);
}

ifinfomsg link_header(std::uint32_t index) {
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(index);
  return header;
}

/// By its number, in one message: the namespace first, then the name, as the kernel takes them.
Result<> send_to(NetlinkSocket& socket, std::uint32_t index, int netns, const std::string& new_name,
                 const std::string& subject) {
  NetlinkBatch batch;
  batch.begin(RTM_NEWLINK, NLM_F_ACK, link_header(index), subject);
  batch.put_u32(IFLA_NET_NS_FD, static_cast<std::uint32_t>(netns));
  batch.put_text(IFLA_IFNAME, new_name);
  return socket.run(batch);
}

Result<> furnish(NetlinkSocket& socket, std::uint32_t index, const std::vector<SavedAddress>& addresses) {
  NetlinkBatch batch;
  for (const auto& saved : addresses) {
    ifaddrmsg header = saved.header;
    header.ifa_index = index;
    header.ifa_flags = static_cast<std::uint8_t>(saved.flags & kSettableFlags);
    batch.begin(RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, header, "restore an address");
    for (const auto& [type, value] : saved.attributes) batch.put(type, value);
    batch.put_u32(IFA_FLAGS, saved.flags & kSettableFlags);
  }
  ifinfomsg up = link_header(index);
  up.ifi_flags = IFF_UP;
  up.ifi_change = IFF_UP;
  batch.begin(RTM_NEWLINK, NLM_F_ACK, up, "set the interface up");
  return socket.run(batch);
}

/// The number that the interface has now: its old one, unless that was taken.
Result<Link> arrived(RouteSocket& there, const std::vector<Link>& before, std::uint32_t index) {
  const bool taken = std::ranges::find(before, index, &Link::index) != before.end();
  for (auto& link : TRY(there.links())) {
    const bool is_new = std::ranges::find(before, link.index, &Link::index) == before.end();
    if (taken ? is_new : link.index == index) return std::move(link);
  }
  return base::internal("the interface did not arrive");
}

}  // namespace

bool is_link_name(std::string_view name) {
  if (name.empty() || name.size() >= IFNAMSIZ || name == "." || name == "..") return false;
  return std::ranges::none_of(name, [](char c) { return c == '/' || c == ':' || static_cast<unsigned char>(c) <= ' '; });
}

Result<std::string> move_link(const LinkMove& move) {
  RouteSocket here = TRY(RouteSocket::open_in(move.from));
  RouteSocket there = TRY(RouteSocket::open_in(move.to));
  const Link link = TRY(here.link(move.name));
  const std::string new_name = move.new_name.empty() ? move.name : move.new_name;
  const auto before = TRY(there.links());
  if (std::ranges::find(before, new_name, &Link::name) != before.end()) {
    return base::conflict(fmt::format("an interface {} is there already", new_name));
  }
  NetlinkSocket sender = TRY(socket_in(move.from));
  NetlinkSocket receiver = TRY(socket_in(move.to));
  const auto addresses = TRY(addresses_of(sender, link.index));
  std::optional<Link> at;
  const auto moved = [&]() -> Result<> {
    TRY(send_to(sender, link.index, move.to, new_name, fmt::format("move interface {}", move.name)));
    at = TRY(arrived(there, before, link.index));
    return furnish(receiver, at->index, addresses);
  }();
  if (moved) return at->name;
  // It may be there and only its name or an address was refused.
  if (!at) {
    if (auto found = arrived(there, before, link.index)) at = std::move(*found);
  }
  if (at) {
    const auto back = send_to(receiver, at->index, move.from, move.name, "put the interface back");
    if (back) base::ignore(furnish(sender, TRY(here.link(move.name)).index, addresses), "the cause is what to tell");
  }
  return base::Error{moved.error()};
}

}  // namespace sys
