#pragma once
/// Host ports that endpoints publish. Threads: any; its lock is held for look-ups only, except that
/// a bind(2) which fails at once happens inside.

#include <cstdint>
#include <map>
#include <mutex>
#include <tuple>
#include <vector>

#include "base/result.h"
#include "net/network.h"
#include "sys/fd.h"

namespace net::detail {

class PortAllocator {
 public:
  /// The kernel's range for chosen ports: net.ipv4.ip_local_port_range. 32768–60999 if unreadable.
  struct Range {
    std::uint16_t first;
    std::uint16_t last;
  };
  static Range host_range();
  explicit PortAllocator(Range chosen) : first_{chosen.first}, last_{chosen.last}, next_{chosen.first} {}

  /// Chooses host ports where they are open, holds them all or none, and writes the chosen ones into
  /// `bindings`. Errors, in docker's words: Conflict "Bind for 0.0.0.0:80 failed: port is already
  /// allocated", Conflict "listen tcp4 0.0.0.0:80: bind: address already in use", Unavailable.
  base::Result<> reserve(const EndpointId& owner, std::vector<PortBinding>& bindings);
  /// For an endpoint of before a restart: its ports count as taken, whoever holds them now.
  void adopt(const EndpointId& owner, const std::vector<PortBinding>& bindings);
  void release(const EndpointId& owner, const std::vector<PortBinding>& bindings);
  /// Duplicates of the guarding sockets.
  base::Result<std::vector<sys::UniqueFd>> guards(const EndpointId& owner,
                                                  const std::vector<PortBinding>& bindings);

 private:
  using Key = std::tuple<Protocol, std::uint16_t, Ipv4>;
  struct Held {
    EndpointId owner;
    sys::UniqueFd guard;
  };
  static Key key_of(const PortBinding& binding) {
    return {binding.protocol, binding.host_port, binding.host_ip};
  }
  [[nodiscard]] bool taken(const PortBinding& binding) const;
  base::Result<> hold(const EndpointId& owner, const PortBinding& binding);
  base::Result<> hold_any(const EndpointId& owner, PortBinding& binding);
  void drop(const EndpointId& owner, const PortBinding& binding);

  std::mutex mutex_;
  std::uint16_t first_;
  std::uint16_t last_;
  std::uint16_t next_;        ///< guarded by mutex_
  std::map<Key, Held> held_;  ///< guarded by mutex_
};

}  // namespace net::detail
