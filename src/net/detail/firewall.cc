#include "net/detail/firewall.h"

#include <linux/netfilter.h>

#include "base/log.h"
#include "sys/conntrack.h"
#include "sys/nftables.h"

namespace net::detail {
namespace {

const char* map_of(const PortBinding& binding) {
  return binding.host_ip.is_any() ? kPublished : kPublishedAt;
}

sys::NftValue key_of(const PortBinding& binding) {
  sys::NftValue key;
  if (!binding.host_ip.is_any()) key.ipv4(binding.host_ip.value());
  key.protocol(static_cast<std::uint8_t>(binding.protocol)).port(binding.host_port);
  return key;
}

}  // namespace

base::Result<> Firewall::install(std::span<const Network> networks, std::span<const Endpoint> endpoints,
                                 const RulesetOptions& options) const {
  if (!enabled_) return {};
  TRY(sys::run_nft(full_ruleset(networks, endpoints, options)).context("install firewall rules"));
  return {};
}

base::Result<> Firewall::add_network(const Network& network) const {
  if (!enabled_) return {};
  TRY(sys::run_nft(add_network_rules(network)).context("add firewall rules of network " + network.name));
  return {};
}

base::Result<> Firewall::remove_network(const Network& network) const {
  if (!enabled_) return {};
  auto removed = sys::run_nft(remove_network_rules(network));
  if (!removed && !removed.failed_as(base::ErrorKind::NotFound)) {
    return std::move(removed).error().context("remove firewall rules of network " + network.name);
  }
  return {};
}

void Firewall::forget_flows(const Endpoint& endpoint) {
  for (const PortBinding& binding : endpoint.ports) {
    if (binding.protocol != Protocol::Udp) continue;
    const auto forgotten = sys::forget_udp_flows(sockets_, binding.host_ip.value(), binding.host_port);
    if (!forgotten) {
      base::log::warn("old flows to port {}/udp may go on to an earlier container: {}", binding.host_port,
                      forgotten.error().message());
    }
  }
}

base::Result<> Firewall::publish(const Endpoint& endpoint) {
  if (!enabled_) return {};
  sys::NftElements elements{NFPROTO_IPV4, kTable};
  for (const PortBinding& binding : endpoint.ports) {
    elements.add(map_of(binding), key_of(binding),
                 sys::NftValue{}.ipv4(endpoint.address.value()).port(binding.container_port));
  }
  TRY(elements.commit(sockets_));
  forget_flows(endpoint);
  return {};
}

base::Result<> Firewall::unpublish(const Endpoint& endpoint) {
  if (!enabled_) return {};
  TRY(remove_elements(endpoint));
  forget_flows(endpoint);
  return {};
}

base::Result<> Firewall::remove_elements(const Endpoint& endpoint) {
  sys::NftElements all{NFPROTO_IPV4, kTable};
  for (const PortBinding& binding : endpoint.ports) all.remove(map_of(binding), key_of(binding));
  auto removed = all.commit(sockets_);
  if (removed || !removed.failed_as(base::ErrorKind::NotFound)) return removed;
  // Some were not there, so the transaction left the others: one by one.
  for (const PortBinding& binding : endpoint.ports) {
    sys::NftElements one{NFPROTO_IPV4, kTable};
    one.remove(map_of(binding), key_of(binding));
    removed = one.commit(sockets_);
    if (!removed && !removed.failed_as(base::ErrorKind::NotFound)) return removed;
  }
  return {};
}

bool Firewall::drops_unrelated_forwarding() const {
  if (!enabled_) return false;
  const auto chain = sys::run_nft(std::string{"list chain ip "} + kTable + " unrelated");
  return chain && chain->find("drop") != std::string::npos;
}

}  // namespace net::detail
