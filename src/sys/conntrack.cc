#include "sys/conntrack.h"

#include <cstring>
#include <vector>

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace sys {
namespace {

// net/netfilter/nf_internals.h of the kernel, as libnetfilter_conntrack has them too.
constexpr std::uint32_t kFilterProtocol = 1U << 3U;
constexpr std::uint32_t kFilterDestinationPort = 1U << 5U;

constexpr std::uint16_t message(int type) {
  return static_cast<std::uint16_t>(NFNL_SUBSYS_CTNETLINK << 8 | type);
}

nfgenmsg header() {
  nfgenmsg message{};
  message.nfgen_family = AF_INET;
  return message;
}

std::uint16_t u16_of(const NetlinkAttribute& attribute) {
  std::uint16_t value = 0;
  if (attribute.value.size() >= sizeof value) std::memcpy(&value, attribute.value.data(), sizeof value);
  return value;
}

/// Whether an original tuple goes to the port; the kernel may not have selected.
bool matches(NetlinkBytes tuple, std::uint32_t address, std::uint16_t port) {
  bool right_protocol = false;
  bool right_port = false;
  bool right_address = address == 0;
  for_each_attribute(tuple, [&](const NetlinkAttribute& part) {
    for_each_attribute(part.value, [&](const NetlinkAttribute& field) {
      if (part.type == CTA_TUPLE_IP && field.type == CTA_IP_V4_DST) {
        right_address = right_address || ntohl(field.u32()) == address;
      } else if (part.type == CTA_TUPLE_PROTO && field.type == CTA_PROTO_NUM) {
        right_protocol = field.u8() == IPPROTO_UDP;
      } else if (part.type == CTA_TUPLE_PROTO && field.type == CTA_PROTO_DST_PORT) {
        right_port = ntohs(u16_of(field)) == port;
      }
    });
  });
  return right_protocol && right_port && right_address;
}

base::Result<> forget(NetlinkSocket& socket, std::uint32_t address, std::uint16_t port) {
  NetlinkBatch list;
  list.begin(message(IPCTNL_MSG_CT_GET), NLM_F_DUMP, header(), "list UDP flows");
  const std::size_t tuple = list.open(CTA_TUPLE_ORIG);
  const std::size_t protocol = list.open(CTA_TUPLE_PROTO);
  list.put_u8(CTA_PROTO_NUM, IPPROTO_UDP);
  list.put_u16(CTA_PROTO_DST_PORT, htons(port));
  list.close(protocol);
  list.close(tuple);
  const std::size_t filter = list.open(CTA_FILTER);
  list.put_u32(CTA_FILTER_ORIG_FLAGS, kFilterProtocol | kFilterDestinationPort);
  list.put_u32(CTA_FILTER_REPLY_FLAGS, 0);
  list.close(filter);

  std::vector<std::vector<char>> flows;
  TRY(socket.run(list, [&](std::uint16_t /*type*/, NetlinkBytes payload) {
    if (payload.size() < sizeof(nfgenmsg)) return;
    for_each_attribute(payload.subspan(sizeof(nfgenmsg)), [&](const NetlinkAttribute& attribute) {
      if (attribute.type == CTA_TUPLE_ORIG && matches(attribute.value, address, port)) {
        flows.emplace_back(attribute.value.begin(), attribute.value.end());
      }
    });
  }));

  for (const auto& flow : flows) {
    NetlinkBatch remove;
    remove.begin(message(IPCTNL_MSG_CT_DELETE), NLM_F_ACK, header(), "forget UDP flow");
    remove.put(static_cast<std::uint16_t>(CTA_TUPLE_ORIG | NLA_F_NESTED), flow);
    auto removed = socket.run(remove);
    if (!removed && !removed.failed_as(base::ErrorKind::NotFound)) return removed;
  }
  return {};
}

}  // namespace

base::Result<> forget_udp_flows(NetfilterSockets& sockets, std::uint32_t address, std::uint16_t port) {
  NetlinkSocket socket = TRY(sockets.take());
  auto result = forget(socket, address, port);
  sockets.give_back(std::move(socket));
  // The subsystem is not there: EINVAL for its messages.
  if (result.failed_as(base::ErrorKind::InvalidArgument) || result.failed_as(base::ErrorKind::NotImplemented))
    return {};
  return result;
}

}  // namespace sys
