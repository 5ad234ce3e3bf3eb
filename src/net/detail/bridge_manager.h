#pragma once
/// The one Manager there is: wires records, registry, ports, firewall and plumbing.

#include <memory>
#include <mutex>
#include <vector>

#include "net/detail/firewall.h"
#include "net/detail/ports.h"
#include "net/detail/registry.h"
#include "net/manager.h"

namespace net::detail {

class BridgeManager final : public Manager {
 public:
  BridgeManager(Options options, std::unique_ptr<Records> records);
  /// The steps of `Manager::open`, in order; each is safe to repeat after a crash.
  base::Result<> start();

  base::Result<Network> create_network(const NetworkConfig& config) override;
  [[nodiscard]] std::vector<Network> networks() const override;
  [[nodiscard]] base::Result<Network> find_network(std::string_view name_or_id) const override;
  base::Result<> remove_network(const base::NetworkId& id) override;
  [[nodiscard]] std::vector<Endpoint> endpoints_in(const base::NetworkId& network) const override;
  [[nodiscard]] std::vector<Endpoint> endpoints_of(const base::ContainerId& container) const override;
  base::Result<Endpoint> reserve(const EndpointRequest& request) override;
  base::Result<> attach(const Endpoint& endpoint, int netns, const AttachOptions& options) override;
  base::Result<> release(const EndpointId& id, Detach detach) override;
  base::Result<Endpoint> set_ports(const EndpointId& id, const std::vector<PortBinding>& wanted) override;
  base::Result<> lead_out(const Endpoint& endpoint, int netns) override;
  base::Result<> recover(const std::vector<base::ContainerId>& live) override;
  base::Result<std::vector<sys::UniqueFd>> port_guards(const EndpointId& id) override;

 private:
  // start
  base::Result<> load_networks();
  base::Result<> load_endpoints();
  base::Result<> settle_default_network();
  base::Result<Network> make_default_network(const std::vector<Subnet>& networks) const;
  base::Result<> bring_up_bridges();
  base::Result<> install_firewall();

  /// Bridge, rules, record; all or nothing.
  base::Result<> bring_up(const NetworkPointer& state);
  /// The bridge, and on it the containers that run already: after a restart, or when somebody has
  /// removed the bridge under us.
  base::Result<> prepare_bridge(const NetworkPointer& state);
  /// Fills and inserts an endpoint with an address; the ports are open still.
  static base::Result<Endpoint> insert(const NetworkPointer& state, const EndpointRequest& request);
  static void forget(const NetworkPointer& state, const EndpointId& id);
  static std::uint32_t bridge_of(const NetworkPointer& state);
  static Network copy_of(const NetworkPointer& state);
  [[nodiscard]] std::vector<Endpoint> all_endpoints() const;

  Options options_;
  std::unique_ptr<Records> records_;
  Registry registry_;
  PortAllocator ports_;
  Firewall firewall_;
};

}  // namespace net::detail
