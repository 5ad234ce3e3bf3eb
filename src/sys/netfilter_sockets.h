#pragma once
/// Sockets to the kernel's packet filter, kept for the next user: closing one waits until the kernel
/// has freed whatever nftables deleted shortly before, 10 ms.

#include <mutex>
#include <vector>

#include "base/result.h"
#include "sys/netlink.h"

namespace sys {

/// Threads: any; whoever takes a socket has it to itself. A pool belongs to the network namespace in
/// which it is used.
class NetfilterSockets {
 public:
  base::Result<NetlinkSocket> take();
  void give_back(NetlinkSocket socket);

 private:
  std::mutex mutex_;
  std::vector<NetlinkSocket> idle_;  ///< guarded by mutex_
};

}  // namespace sys
