/// Packets, seen from every side: containers, the host, the outside.

#include "net/detail/test_host.h"

namespace net {
namespace {

using namespace test;  // NOLINT

TEST(Traffic, ContainersReachEachOtherTheHostAndTheOutside) {
  on_fresh_host([] {
    const auto outside = make_outside();
    const auto manager = open_manager();
    const Container a = start(*manager, request_for(*manager, "a"));
    const Container b = start(*manager, request_for(*manager, "b"));
    EXPECT_EQ(a.endpoint.address.str(), "172.17.0.2");
    EXPECT_EQ(a.endpoint.mac.str(), "02:42:ac:11:00:02");
    EXPECT_EQ(b.endpoint.address.str(), "172.17.0.3");
    EXPECT_EQ(b.endpoint.gateway.str(), "172.17.0.1");

    const auto in_b = listen_tcp(b.netns.get(), 80);
    const auto direct = connect_tcp(a.netns.get(), "172.17.0.3", 80, in_b);
    ASSERT_TRUE(direct);
    EXPECT_EQ(direct->client_address, "172.17.0.2");
    const auto on_host = listen_tcp(-1, 81);
    EXPECT_TRUE(connect_tcp(a.netns.get(), "172.17.0.1", 81, on_host));
    EXPECT_TRUE(connect_tcp(-1, "172.17.0.3", 80, in_b)) << "the host reaches a container";

    const auto in_outside = listen_tcp(outside.get(), 82);
    const auto translated = connect_tcp(a.netns.get(), "203.0.113.2", 82, in_outside);
    ASSERT_TRUE(translated);
    EXPECT_EQ(translated->client_address, "203.0.113.1");
    EXPECT_TRUE(translated->works());
  });
}

TEST(Traffic, PublishedPortsAreReachedFromEverySide) {
  on_fresh_host([] {
    const auto outside = make_outside();
    const auto manager = open_manager();
    const Container web = start(*manager, request_for(*manager, "web", "bridge", {tcp_port(8080, 80)}));
    const Container other = start(*manager, request_for(*manager, "other"));
    const auto listener = listen_tcp(web.netns.get(), 80);

    const auto from_outside = connect_tcp(outside.get(), "203.0.113.1", 8080, listener);
    ASSERT_TRUE(from_outside);
    EXPECT_EQ(from_outside->client_address, "203.0.113.2") << "the container sees the real client";
    EXPECT_TRUE(connect_tcp(-1, "127.0.0.1", 8080, listener)) << "route_localnet";
    EXPECT_TRUE(connect_tcp(-1, "203.0.113.1", 8080, listener));
    EXPECT_TRUE(connect_tcp(-1, "172.17.0.1", 8080, listener));
    EXPECT_TRUE(connect_tcp(other.netns.get(), "203.0.113.1", 8080, listener))
        << "another container, by the host";
    EXPECT_TRUE(connect_tcp(other.netns.get(), "172.17.0.1", 8080, listener)) << "by the gateway";
    EXPECT_TRUE(connect_tcp(web.netns.get(), "203.0.113.1", 8080, listener)) << "itself: hairpin";
    // The same with bridged packets that do not pass the IP hooks (no br_netfilter).
    ASSERT_TRUE(sys::write_file(sys::kCwd, "/proc/sys/net/bridge/bridge-nf-call-iptables", "0"));
    EXPECT_TRUE(connect_tcp(other.netns.get(), "203.0.113.1", 8080, listener)) << "another container";
    EXPECT_TRUE(connect_tcp(web.netns.get(), "203.0.113.1", 8080, listener)) << "itself";
    EXPECT_FALSE(connect_tcp(outside.get(), "203.0.113.1", 80, listener, kBlocked));
  });
}

TEST(Traffic, APortOfOneHostAddressIsNotOnTheOthers) {
  on_fresh_host([] {
    const auto outside = make_outside();
    const auto manager = open_manager();
    const Container web =
        start(*manager, request_for(*manager, "web", "bridge",
                                    {tcp_port(8080, 80, "127.0.0.1"), tcp_port(8081, 81, "203.0.113.1")}));
    const auto local = listen_tcp(web.netns.get(), 80);
    const auto external = listen_tcp(web.netns.get(), 81);
    EXPECT_TRUE(connect_tcp(-1, "127.0.0.1", 8080, local));
    EXPECT_FALSE(connect_tcp(outside.get(), "203.0.113.1", 8080, local, kBlocked));
    EXPECT_TRUE(connect_tcp(outside.get(), "203.0.113.1", 8081, external));
    EXPECT_FALSE(connect_tcp(-1, "127.0.0.1", 8081, external, kBlocked));
  });
}

TEST(Traffic, UdpIsPublishedToo) {
  on_fresh_host([] {
    const auto outside = make_outside();
    const auto manager = open_manager();
    PortBinding dns = tcp_port(5300, 53);
    dns.protocol = Protocol::Udp;
    const Container server = start(*manager, request_for(*manager, "dns", "bridge", {dns}));
    const auto listener = bind_socket(server.netns.get(), SOCK_DGRAM, 53);
    const auto client = make_socket(outside.get(), SOCK_DGRAM);
    const auto to = socket_address("203.0.113.1", 5300);
    ASSERT_EQ(::sendto(client.get(), "?", 1, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to), 1);
    ASSERT_TRUE(wait_for(listener, POLLIN, std::chrono::seconds{2}));
    sockaddr_in from{};
    socklen_t size = sizeof from;
    char byte = 0;
    ASSERT_EQ(::recvfrom(listener.get(), &byte, 1, 0, reinterpret_cast<sockaddr*>(&from), &size), 1);
    ASSERT_EQ(::sendto(listener.get(), "!", 1, 0, reinterpret_cast<const sockaddr*>(&from), size), 1);
    EXPECT_TRUE(wait_for(client, POLLIN, std::chrono::seconds{2}));
  });
}

TEST(Traffic, AUdpSenderThatNeverStopsFindsTheNextContainer) {
  on_fresh_host([] {
    const auto outside = make_outside();
    const auto manager = open_manager();
    PortBinding syslog = tcp_port(5140, 514);
    syslog.protocol = Protocol::Udp;
    const auto client = make_socket(outside.get(), SOCK_DGRAM);
    const auto to = socket_address("203.0.113.1", 5140);
    const auto arrives = [&](const sys::UniqueFd& listener) {
      char byte = 0;
      return ::sendto(client.get(), "?", 1, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 1 &&
             wait_for(listener, POLLIN, std::chrono::seconds{1}) && ::read(listener.get(), &byte, 1) == 1;
    };
    {
      const auto server_of_the_host = bind_socket(-1, SOCK_DGRAM, 5140);
      ASSERT_TRUE(arrives(server_of_the_host));
    }
    const Container first = start(*manager, request_for(*manager, "first", "bridge", {syslog}));
    const auto first_listener = bind_socket(first.netns.get(), SOCK_DGRAM, 514);
    EXPECT_TRUE(arrives(first_listener));
    ASSERT_TRUE(manager->release(first.endpoint.id));
    const Container second = start(*manager, request_for(*manager, "second", "bridge", {syslog}));
    const auto second_listener = bind_socket(second.netns.get(), SOCK_DGRAM, 514);
    EXPECT_NE(second.endpoint.address, first.endpoint.address);
    EXPECT_TRUE(arrives(second_listener));
  });
}

TEST(Traffic, TheOutsideGetsIntoAContainerOnlyThroughAPublishedPort) {
  on_fresh_host([] {
    const auto outside = make_outside();
    const auto manager = open_manager();
    const Container web = start(*manager, request_for(*manager, "web", "bridge", {tcp_port(8080, 80)}));
    const auto published = listen_tcp(web.netns.get(), 80);
    const auto hidden = listen_tcp(web.netns.get(), 81);
    const auto host_only = listen_tcp(-1, 9000);
    // A neighbour that routes to the container's address, and one that routes to our loopback.
    auto far = sys::RouteSocket::open_in(outside.get()).value();
    sys::RouteBatch route;
    route.add_route({.destination = sys::InetAddress::v4(0xac110000),
                     .prefix_length = 16,
                     .gateway = sys::InetAddress::v4(0xcb007101)});
    ASSERT_TRUE(far.run(route));
    EXPECT_FALSE(connect_tcp(outside.get(), "172.17.0.2", 81, hidden, kBlocked));
    EXPECT_FALSE(connect_tcp(outside.get(), "172.17.0.2", 80, published, kBlocked))
        << "not by its own address either";
    EXPECT_TRUE(connect_tcp(outside.get(), "203.0.113.1", 8080, published));
  });
}

TEST(Traffic, AContainerDoesNotReachTheHostsLoopback) {  // CVE-2020-8558
  on_fresh_host([] {
    const auto manager = open_manager();
    const Container a = start(*manager, request_for(*manager, "a"));
    sys::UniqueFd loopback_only = make_socket(-1, SOCK_STREAM);
    const auto name = socket_address("127.0.0.1", 9000);
    ASSERT_EQ(::bind(loopback_only.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
    ASSERT_EQ(::listen(loopback_only.get(), 8), 0);
    ASSERT_EQ(sys::read_file(sys::kCwd, "/proc/sys/net/ipv4/conf/caisson0/route_localnet").value(), "1\n");
    // The attacker is root in its namespace: it routes 127.0.0.1 to the gateway.
    auto inside = sys::RouteSocket::open_in(a.netns.get(), []() -> base::Result<> {
                    return sys::write_file(sys::kCwd, "/proc/sys/net/ipv4/conf/eth0/route_localnet", "1");
                  }).value();
    sys::RouteBatch attack;
    attack.delete_address(inside.link("lo").value().index, sys::InetAddress::v4(0x7f000001), 8);
    attack.add_route({.destination = sys::InetAddress::v4(0x7f000001),
                      .prefix_length = 32,
                      .gateway = sys::InetAddress::v4(0xac110001)});
    const auto routed = inside.run(attack);
    ASSERT_TRUE(routed) << routed.error().message();
    EXPECT_FALSE(connect_tcp(a.netns.get(), "127.0.0.1", 9000, loopback_only, kBlocked));
  });
}

TEST(Traffic, NetworksAreIsolatedFromEachOther) {
  on_fresh_host([] {
    const auto manager = open_manager();
    ASSERT_TRUE(manager->create_network({.name = "blue"}));
    const Container a = start(*manager, request_for(*manager, "a"));
    const Container b = start(*manager, request_for(*manager, "b", "blue", {tcp_port(8080, 80)}));
    EXPECT_EQ(b.endpoint.address.str(), "172.18.0.2");
    const auto in_b = listen_tcp(b.netns.get(), 80);
    EXPECT_FALSE(connect_tcp(a.netns.get(), "172.18.0.2", 80, in_b, kBlocked));
    EXPECT_TRUE(connect_tcp(a.netns.get(), "172.17.0.1", 8080, in_b)) << "what is published is for everybody";
  });
}

TEST(Traffic, WithoutIccContainersDoNotReachEachOther) {
  on_fresh_host([] {
    const auto outside = make_outside();
    const auto manager = open_manager({.icc = false});
    const Container a = start(*manager, request_for(*manager, "a"));
    const Container b = start(*manager, request_for(*manager, "b", "bridge", {tcp_port(8080, 80)}));
    const auto in_b = listen_tcp(b.netns.get(), 80);
    EXPECT_FALSE(connect_tcp(a.netns.get(), "172.17.0.3", 80, in_b, kBlocked));
    // A detour by the gateway, which forwards between ports of its own bridge.
    auto inside = sys::RouteSocket::open_in(a.netns.get()).value();
    sys::RouteBatch detour;
    detour.add_route({.destination = sys::InetAddress::v4(0xac110003),
                      .prefix_length = 32,
                      .gateway = sys::InetAddress::v4(0xac110001)});
    ASSERT_TRUE(inside.run(detour));
    EXPECT_FALSE(connect_tcp(a.netns.get(), "172.17.0.3", 80, in_b, kBlocked));
    EXPECT_TRUE(connect_tcp(outside.get(), "203.0.113.1", 8080, in_b));
    const auto in_outside = listen_tcp(outside.get(), 82);
    EXPECT_TRUE(connect_tcp(a.netns.get(), "203.0.113.2", 82, in_outside));
  });
}

TEST(Traffic, AnInternalNetworkHasNoWayOut) {
  on_fresh_host([] {
    const auto outside = make_outside();
    const auto manager = open_manager();
    ASSERT_TRUE(manager->create_network({.name = "inner", .internal = true}));
    const Container a = start(*manager, request_for(*manager, "a", "inner"));
    const Container b = start(*manager, request_for(*manager, "b", "inner"));
    EXPECT_TRUE(a.endpoint.gateway.is_any());
    const auto in_b = listen_tcp(b.netns.get(), 80);
    EXPECT_TRUE(connect_tcp(a.netns.get(), b.endpoint.address.str(), 80, in_b));
    auto inside = sys::RouteSocket::open_in(a.netns.get()).value();
    sys::RouteBatch route;  // the container, being root, adds what it was not given
    route.add_route({.gateway = sys::InetAddress::v4(0xac120001)});
    ASSERT_TRUE(inside.run(route));
    auto far = sys::RouteSocket::open_in(outside.get()).value();
    sys::RouteBatch back;  // so that an untranslated packet would be answered
    back.add_route({.gateway = sys::InetAddress::v4(0xcb007101)});
    ASSERT_TRUE(far.run(back));
    const auto in_outside = listen_tcp(outside.get(), 82);
    EXPECT_FALSE(connect_tcp(a.netns.get(), "203.0.113.2", 82, in_outside, kBlocked));
    const auto in_a = listen_tcp(a.netns.get(), 83);
    EXPECT_FALSE(connect_tcp(outside.get(), a.endpoint.address.str(), 83, in_a, kBlocked));
  });
}

TEST(Traffic, TheHostBecomesNoRouterForStrangers) {
  on_fresh_host([] {
    const auto outside = make_outside();
    const auto manager = open_manager();
    const auto stranger = make_netns();
    auto host = sys::RouteSocket::open().value();
    sys::RouteBatch link;
    link.create_veth({.name = "other", .up = true, .peer_name = "eth0", .peer_netns = stranger.get()});
    ASSERT_TRUE(host.run(link));
    sys::RouteBatch address;
    address.add_address(host.link("other").value().index, sys::InetAddress::v4(0xc6336401), 24);
    ASSERT_TRUE(host.run(address));
    auto far = sys::RouteSocket::open_in(stranger.get()).value();
    sys::RouteBatch setup;
    const auto index = far.link("eth0").value().index;
    setup.add_address(index, sys::InetAddress::v4(0xc6336402), 24);
    setup.set_up("eth0");
    setup.add_route({.gateway = sys::InetAddress::v4(0xc6336401), .link = index});
    ASSERT_TRUE(far.run(setup));
    auto out = sys::RouteSocket::open_in(outside.get()).value();
    sys::RouteBatch back;
    back.add_route({.gateway = sys::InetAddress::v4(0xcb007101)});
    ASSERT_TRUE(out.run(back));
    const auto in_outside = listen_tcp(outside.get(), 82);
    EXPECT_EQ(sys::read_file(sys::kCwd, "/proc/sys/net/ipv4/ip_forward").value(), "1\n");
    EXPECT_FALSE(connect_tcp(stranger.get(), "203.0.113.2", 82, in_outside, kBlocked));

    // An engine that finds forwarding on leaves the host's routing alone; one that restarts does not forget.
    const auto restarted = open_manager();
    EXPECT_FALSE(connect_tcp(stranger.get(), "203.0.113.2", 82, in_outside, kBlocked));
    const auto permissive = open_manager({.ip_forward_no_drop = true});
    EXPECT_TRUE(connect_tcp(stranger.get(), "203.0.113.2", 82, in_outside));
  });
}

TEST(Traffic, ADisconnectedContainerIsCutOffAtOnce) {
  on_fresh_host([] {
    const auto manager = open_manager();
    const Container a = start(*manager, request_for(*manager, "a"));
    const Container b = start(*manager, request_for(*manager, "b"));
    const auto in_b = listen_tcp(b.netns.get(), 80);
    auto connection = connect_tcp(a.netns.get(), "172.17.0.3", 80, in_b);
    ASSERT_TRUE(connection && connection->works());
    ASSERT_TRUE(manager->release(b.endpoint.id, Detach::WithNamespace));
    EXPECT_FALSE(connect_tcp(a.netns.get(), "172.17.0.3", 80, in_b, kBlocked));
    ASSERT_TRUE(manager->release(a.endpoint.id, Detach::Now));
    EXPECT_TRUE(
        sys::RouteSocket::open_in(a.netns.get()).value().link("eth0").failed_as(base::ErrorKind::NotFound));
  });
}

}  // namespace
}  // namespace net
