#pragma once
/// The container's side of networks: which it joins, its published ports, its name files.

#include <string>
#include <vector>

#include "engine/containers/core.h"

namespace engine {

/// Whether the container has a network namespace of its own with endpoints in it.
[[nodiscard]] bool has_endpoints(const Record& record);

/// The ports to publish, from -p, -P and EXPOSE. Errors: InvalidArgument.
base::Result<std::vector<net::PortBinding>> published_ports(const Record& record);

/// The network that publishes the ports and has the default route: NetworkMode's. "" : none.
[[nodiscard]] std::string main_network(const Record& record);
/// An address and ports in each of its networks; no kernel work yet. Undoes itself on failure.
/// Errors: NotFound "network x not found", and what net says, in docker's words.
base::Result<std::vector<net::Endpoint>> reserve_networks(Core& core, const Record& record);
/// What net is asked for. `first`: the network that publishes the ports.
base::Result<net::EndpointRequest> endpoint_request(const Record& record, const net::Network& network,
                                                    const spec::api::EndpointSettings& settings, bool first);
/// "connect" or "disconnect" of the network.
void publish_endpoint(Core& core, const net::Endpoint& endpoint, std::string_view action);

/// `docker network connect` and `disconnect`, of a container that runs or not. They take the verb lock. `force` is for containers
/// that are not there any more; of one that is, an error stays an error, as with docker.
base::Result<> join_network(Core& core, const ContainerPtr& container, const net::Network& network,
                            const spec::api::EndpointSettings& settings);
base::Result<> leave_network(Core& core, const ContainerPtr& container, const net::Network& network, bool force);
/// One more interface, "eth<interface>" or the next number that is free, into the namespace of a running container.
base::Result<> attach_running(Core& core, const Record& record, const net::Network& network,
                              const spec::api::EndpointSettings& settings, unsigned interface);
/// The name that the user wants for the interface, or "eth<number>".
[[nodiscard]] std::string interface_name(const spec::api::EndpointSettings& settings, std::size_t number);
/// Which of them the default route goes through: the one with the highest priority that leads out, of equals the
/// first. The number of endpoints when none does.
[[nodiscard]] std::size_t way_out(const Record& record, const std::vector<net::Endpoint>& endpoints);
/// Makes of a running container's networks what its row says: a daemon may have died between an interface and the row, and then
/// nobody was told that it joined or left. The newest record, which may lack a network that it had left. Takes no lock.
std::shared_ptr<const Record> settle_networks(Core& core, const ContainerPtr& container);
/// Interfaces and rules, and "network connect" events.
base::Result<> attach_networks(Core& core, const Record& record, const std::vector<net::Endpoint>& endpoints,
                               int netns);
/// Whether "network disconnect" is published: where "connect" was.
enum class Announce : std::uint8_t { No, Yes };
/// All of it undone. What fails is logged: the next daemon's `recover` finds it.
void disconnect_networks(Core& core, const Record& record, Announce announce = Announce::Yes);

/// Makes the files /etc/hostname, hosts and resolv.conf where they are missing, so that they can be
/// mounted. They are written in place later: a mount keeps the inode.
base::Result<> make_name_files(Core& core, const Record& record);
base::Result<> write_name_files(Core& core, const Record& record, const std::vector<net::Endpoint>& endpoints);

/// What inspect shows of the network: endpoints as they are, or as asked for.
[[nodiscard]] spec::api::NetworkSettings network_settings(Core& core, const Record& record);

}  // namespace engine
