#include <algorithm>
#include <cerrno>

#include "base/log.h"
#include "engine/containers/endpoint_checks.h"
#include "engine/containers/networks.h"
#include "engine/containers/verbs.h"
#include "sys/crash_point.h"
#include "sys/file.h"

namespace engine {
namespace {

/// "eth<n>" that the container does not have yet.
unsigned next_interface(Core& core, const Record& record) {
  return static_cast<unsigned>(core.network.endpoints_of(base::ContainerId{record.id}).size());
}

std::string key_of(const Record& record, const net::Network& network) {
  const std::string* key = network_key(record, network.name, network.id);
  return key == nullptr ? std::string{} : *key;
}

/// After a network was left: through another one, unless there still is a way.
void find_way_out(Core& core, const Record& record) {
  const auto endpoints = core.network.endpoints_of(base::ContainerId{record.id});
  const std::size_t best = way_out(record, endpoints);
  if (best == endpoints.size()) return;
  const auto netns = sys::open_at(sys::kCwd, "/proc/" + std::to_string(record.pid) + "/ns/net", O_RDONLY);
  const auto done = netns ? core.network.lead_out(endpoints[best], netns->get()) : base::Result<>{netns.error()};
  if (!done && !done.error().is(base::ErrorKind::Conflict)) {
    base::log::warn("container {}: no default route: {}", record.id, done.error().message());
  }
}

}  // namespace

base::Result<> join_network(Core& core, const ContainerPtr& container, const net::Network& network,
                            const spec::api::EndpointSettings& settings) {
  const std::lock_guard verb{container->verbs};
  const auto record = container->record();
  if (record->state == State::Removing || record->state == State::Dead) {
    return base::conflict("container " + record->id + " is marked for removal and cannot be connected or disconnected to the network " + network.name);
  }
  if (!has_endpoints(*record)) {
    return base::invalid("container sharing network namespace with another container or host cannot be connected to any other network");
  }
  if (!key_of(*record, network).empty()) {
    return base::Error{base::ErrorKind::PermissionDenied, "endpoint with name " + record->name +
                                                              " already exists in network " + network.name};
  }
  TRY(check_endpoint(core.network, network.name, settings));
  const auto joined = container->update([&](Record& now) { now.networks[network.name] = settings; });
  const auto undo = [&] { container->update([&](Record& now) { now.networks.erase(network.name); }); };
  if (has_process(record->state)) {
    if (auto attached = attach_running(core, *joined, network, settings, next_interface(core, *record)); !attached) {
      undo();
      return attached;
    }
  }
  CRASH_POINT("engine.join.attached");
  tell_neighbours(core, record->id, {network.id});
  return save(core, *joined);
}

base::Result<> leave_network(Core& core, const ContainerPtr& container, const net::Network& network, bool /*force*/) {
  const std::lock_guard verb{container->verbs};
  const auto record = container->record();
  const std::string key = key_of(*record, network);
  if (key.empty()) {
    return base::Error{base::ErrorKind::PermissionDenied,
                       "container " + record->id + " is not connected to network " + network.name};
  }
  for (const net::Endpoint& endpoint : core.network.endpoints_of(base::ContainerId{record->id})) {
    if (endpoint.network != network.id) continue;
    TRY(core.network.release(endpoint.id, net::Detach::Now));
    publish_endpoint(core, endpoint, "disconnect");
  }
  CRASH_POINT("engine.leave.released");
  const auto left = container->update([&](Record& now) { now.networks.erase(key); });
  if (has_process(record->state)) find_way_out(core, *left);
  tell_neighbours(core, record->id, {network.id});
  rewrite_neighbours(core, record->id);  // it is no longer one of those who are told
  return save(core, *left);
}

std::shared_ptr<const Record> settle_networks(Core& core, const ContainerPtr& container) {
  const auto record = container->record();
  if (!has_endpoints(*record)) return record;
  const auto endpoints = core.network.endpoints_of(base::ContainerId{record->id});
  // The user may have named the network by its id.
  const auto names = [](const std::string& name, const net::Endpoint& endpoint) {
    return name == endpoint.network_name || endpoint.network.str().starts_with(name);
  };
  for (const net::Endpoint& endpoint : endpoints) {
    if (std::ranges::any_of(record->networks, [&](const auto& item) { return names(item.first, endpoint); })) continue;
    if (const auto released = core.network.release(endpoint.id, net::Detach::Now); !released) {
      base::log::warn("container {}: still connected to network {}: {}", record->id, endpoint.network_name,
                      released.error().message());
    }
  }
  return container->update([&](Record& now) {
    std::erase_if(now.networks, [&](const auto& item) {
      return std::ranges::none_of(endpoints, [&](const net::Endpoint& endpoint) { return names(item.first, endpoint); });
    });
  });
}

base::Result<> attach_running(Core& core, const Record& record, const net::Network& network,
                              const spec::api::EndpointSettings& settings, unsigned interface) {
  constexpr unsigned kMostInterfaces = 64;
  const auto others = core.network.endpoints_of(base::ContainerId{record.id});
  const bool leads_out = std::ranges::none_of(others, [](const net::Endpoint& other) { return !other.gateway.is_any(); });
  const auto request = TRY(endpoint_request(record, network, settings, others.empty()));
  const net::Endpoint endpoint = TRY(core.network.reserve(request));
  const auto attach = [&]() -> base::Result<> {
    const auto netns = TRY(sys::open_at(sys::kCwd, "/proc/" + std::to_string(record.pid) + "/ns/net", O_RDONLY));
    // A network that was left in between has left a gap in the numbers.
    for (unsigned number = interface;; ++number) {
      const std::string name = interface_name(settings, number);
      auto attached = core.network.attach(endpoint, netns.get(), {.interface = name, .default_route = leads_out});
      const bool taken = !attached && attached.error().errno_value() == EEXIST;
      if (!taken || number >= kMostInterfaces || !name.starts_with("eth")) return attached;
    }
  };
  if (auto attached = attach(); !attached) {
    base::ignore(core.network.release(endpoint.id), "the cause is reported; recover() finds the rest");
    return attached;
  }
  publish_endpoint(core, endpoint, "connect");
  return {};
}

}  // namespace engine
