#pragma once
/// Our table in the kernel. Threads: any.

#include <span>
#include <string>

#include "base/result.h"
#include "net/detail/ruleset.h"
#include "net/network.h"
#include "sys/netfilter_sockets.h"

namespace net::detail {

class Firewall {
 public:
  /// Without `enabled` (--iptables=false) every function does nothing.
  explicit Firewall(bool enabled) : enabled_{enabled} {}

  /// Makes the table from nothing or from whatever is there, in one transaction: connections that are
  /// established go on, because their translation stands in the kernel's connection table.
  [[nodiscard]] base::Result<> install(std::span<const Network> networks, std::span<const Endpoint> endpoints,
                                       const RulesetOptions& options) const;
  [[nodiscard]] base::Result<> add_network(const Network& network) const;
  [[nodiscard]] base::Result<> remove_network(const Network& network) const;
  /// UDP flows to the ports are forgotten, so that senders that never stop find the new place.
  [[nodiscard]] base::Result<> publish(const Endpoint& endpoint);
  /// What is not there is no error. Forgets UDP flows too.
  [[nodiscard]] base::Result<> unpublish(const Endpoint& endpoint);

  /// Whether an earlier daemon's table stands and drops unrelated forwarding.
  [[nodiscard]] bool drops_unrelated_forwarding() const;

 private:
  [[nodiscard]] base::Result<> remove_elements(const Endpoint& endpoint);
  void forget_flows(const Endpoint& endpoint);

  bool enabled_;
  sys::NetfilterSockets sockets_;
};

/// What else filters forwarded packets on this host. A drop there can't be undone from our table, so:
/// where iptables (the nft variant) has a FORWARD chain that drops, or docker's DOCKER-USER, each
/// bridge gets two accepting rules in it; where that can't be done (iptables-legacy, firewalld) the
/// log says what to do.
base::Result<> pass_other_firewalls(std::span<const std::string> bridges);
void leave_other_firewalls(const std::string& bridge);

}  // namespace net::detail
