#include "sys/netfilter_sockets.h"

#include <linux/netlink.h>

namespace sys {

base::Result<NetlinkSocket> NetfilterSockets::take() {
  {
    const std::scoped_lock lock{mutex_};
    if (!idle_.empty()) {
      NetlinkSocket socket = std::move(idle_.back());
      idle_.pop_back();
      return socket;
    }
  }
  return NetlinkSocket::open(NETLINK_NETFILTER);
}

void NetfilterSockets::give_back(NetlinkSocket socket) {
  const std::scoped_lock lock{mutex_};
  idle_.push_back(std::move(socket));
}

}  // namespace sys
