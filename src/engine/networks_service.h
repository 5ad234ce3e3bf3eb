#pragma once
/// Networks over the `net` module, and the two networks that are none: "host" and "none".

#include "engine/event_bus.h"
#include "engine/networks.h"
#include "net/manager.h"

namespace engine {

/// Joins containers with networks. The containers service does it: it knows their namespaces.
class NetworkMembers {
 public:
  virtual ~NetworkMembers() = default;
  virtual base::Result<> join_network(const std::string& container, const net::Network& network,
                                      const spec::api::EndpointSettings& settings) = 0;
  /// As it is called now; "" when there is none of that id.
  [[nodiscard]] virtual std::string name_of(const std::string& container) const = 0;
  virtual base::Result<> leave_network(const std::string& container, const net::Network& network,
                                       bool force) = 0;
};

/// The ids that "host" and "none" have in this engine: made once, kept in the database.
struct PredefinedNetworks {
  base::NetworkId host, none;
  base::Time created{};
};

class NetworksService final : public Networks {
 public:
  NetworksService(net::Manager& manager, NetworkMembers& members, EventBus& events, PredefinedNetworks predefined)
      : manager_{manager}, members_{members}, events_{events}, predefined_{std::move(predefined)} {}

  base::Result<std::vector<codec::Json>> list(const Filters& filters) override;
  base::Result<codec::Json> inspect(const std::string& ref, bool verbose) override;
  base::Result<codec::Json> create(const codec::Json& request) override;
  base::Result<> remove(const std::string& ref) override;
  base::Result<std::vector<std::string>> prune(const Filters& filters) override;
  base::Result<> connect(const std::string& ref, const codec::Json& request) override;
  base::Result<> disconnect(const std::string& ref, const std::string& container, bool force) override;

 private:
  [[nodiscard]] codec::Json to_api(const net::Network& network, bool with_containers) const;
  [[nodiscard]] std::vector<codec::Json> predefined() const;

  net::Manager& manager_;
  NetworkMembers& members_;
  EventBus& events_;
  PredefinedNetworks predefined_;
};

}  // namespace engine
