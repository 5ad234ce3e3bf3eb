/// Another default route for a container that lives.

#include <sys/socket.h>

#include "net/detail/bridge_manager.h"
#include "sys/rtnetlink.h"

namespace net::detail {

base::Result<> BridgeManager::lead_out(const Endpoint& endpoint, int netns) {
  auto inside = TRY(sys::RouteSocket::open_in(netns));
  for (const sys::LinkAddress& there : TRY(inside.addresses())) {
    if (there.address.family != AF_INET || there.address.v4_value() != endpoint.address.value()) continue;
    sys::RouteBatch batch;
    batch.add_route({.gateway = sys::InetAddress::v4(endpoint.gateway.value()), .link = there.link});
    return inside.run(batch).context("default route of " + endpoint.container_name);
  }
  return base::not_found("the address " + endpoint.address.str() + " of " + endpoint.container_name + " is not there");
}

}  // namespace net::detail
