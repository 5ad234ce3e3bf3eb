#pragma once
/// The kernel's table of connections. Source: linux/netfilter/nfnetlink_conntrack.h.

#include <cstdint>

#include "base/result.h"
#include "sys/netfilter_sockets.h"

namespace sys {

/// Forgets UDP flows to `port` of `address` (IPv4, host order; 0: any). A flow keeps the translation
/// that it began with for as long as packets keep coming, so a sender that does not stop would go on
/// reaching the place where the port was published before. The kernel selects (Linux 5.8; before, the
/// whole table is read). A kernel without connection tracking has nothing to forget.
base::Result<> forget_udp_flows(NetfilterSockets& sockets, std::uint32_t address, std::uint16_t port);

}  // namespace sys
