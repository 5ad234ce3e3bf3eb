/// Other published ports for an endpoint that lives.

#include <algorithm>

#include "base/log.h"
#include "base/scope_guard.h"
#include "net/detail/bridge_manager.h"
#include "sys/crash_point.h"

namespace net::detail {
namespace {

struct Difference {
  std::vector<PortBinding> kept, added, removed;
};

bool meets(const PortBinding& there, const PortBinding& wish) {
  if (there.protocol != wish.protocol || there.container_port != wish.container_port ||
      there.host_ip != wish.host_ip) {
    return false;
  }
  if (wish.host_port == 0) return true;
  return there.host_port >= wish.host_port && there.host_port <= std::max(wish.host_port, wish.host_port_end);
}

Difference compare(const std::vector<PortBinding>& present, const std::vector<PortBinding>& wanted) {
  Difference difference{.kept = {}, .added = {}, .removed = present};
  for (const PortBinding& wish : wanted) {
    const auto there = std::ranges::find_if(difference.removed, [&](const PortBinding& p) { return meets(p, wish); });
    if (there == difference.removed.end()) {
      difference.added.push_back(wish);
    } else {
      difference.kept.push_back(*there);
      difference.removed.erase(there);
    }
  }
  return difference;
}

}  // namespace

base::Result<Endpoint> BridgeManager::set_ports(const EndpointId& id, const std::vector<PortBinding>& wanted) {
  const auto state = registry_.with_endpoint(id);
  if (!state) return base::not_found("endpoint " + id.str() + " not found");
  Endpoint before;
  std::vector<PortBinding> wishes = wanted;
  bool attached = false;
  {
    const std::scoped_lock lock{state->mutex};
    const auto container = state->by_id.find(id);
    if (container == state->by_id.end()) return base::not_found("endpoint " + id.str() + " not found");
    const EndpointState& entry = state->endpoints.at(container->second);
    before = entry.endpoint;
    attached = entry.attached;
    for (PortBinding& wish : wishes) {
      if (wish.host_ip.is_any()) wish.host_ip = state->network.default_host_ip;
    }
  }
  if (!wishes.empty() && !options_.firewall) {
    return base::invalid("ports can't be published: the daemon runs with iptables disabled");
  }
  Difference difference = compare(before.ports, wishes);
  const std::string intent = "publish other ports of " + before.container_name;
  TRY(ports_.reserve(id, difference.added).context(intent));
  base::ScopeGuard undo_ports{[&] { ports_.release(id, difference.added); }};

  Endpoint after = before, added = before, removed = before;
  after.ports = difference.kept;
  after.ports.insert(after.ports.end(), difference.added.begin(), difference.added.end());
  added.ports = difference.added;
  removed.ports = difference.removed;
  TRY(records_->put(after).context(intent));
  base::ScopeGuard undo_record{[&] {
    base::ignore(records_->put(before), "the cause is returned; the next start publishes what the record says");
  }};
  CRASH_POINT("net.ports.recorded");
  if (attached) {
    if (!added.ports.empty()) TRY(firewall_.publish(added).context(intent));
    base::ScopeGuard undo_rules{[&] { base::ignore(firewall_.unpublish(added), "the cause is returned"); }};
    TRY(sys::inject("net.ports.rules"));
    if (!removed.ports.empty()) TRY(firewall_.unpublish(removed).context(intent));
    undo_rules.release();
  }
  {
    const std::scoped_lock lock{state->mutex};
    const auto entry = state->endpoints.find(before.container);
    if (entry != state->endpoints.end()) entry->second.endpoint.ports = after.ports;
  }
  undo_record.release();
  undo_ports.release();
  ports_.release(id, removed.ports);
  return after;
}

}  // namespace net::detail
