/// Which networks, addresses and ports are given, and which are refused in which words.

#include <gmock/gmock.h>

#include "net/detail/test_host.h"
#include "sys/nftables.h"

namespace net {
namespace {

using namespace test;  // NOLINT
using testing::HasSubstr;

TEST(Choices, PortsAreExclusive) {
  on_fresh_host([] {
    const auto manager = open_manager();
    const auto reserve = [&](const char* name, PortBinding port) {
      return manager->reserve(request_for(*manager, name, "bridge", {port}));
    };
    const auto web = reserve("web", tcp_port(8080, 80));
    ASSERT_TRUE(web);
    for (const auto& clash : {tcp_port(8080, 81), tcp_port(8080, 81, "127.0.0.1")}) {
      const auto refused = reserve("other", clash);
      EXPECT_TRUE(refused.failed_as(base::ErrorKind::Conflict));
      EXPECT_THAT(
          refused.error().message(),
          testing::MatchesRegex("driver failed programming external connectivity on endpoint other "
                                "\\([0-9a-f]{64}\\): Bind for .*:8080 failed: port is already allocated"));
    }
    PortBinding udp = tcp_port(8080, 80);
    udp.protocol = Protocol::Udp;
    EXPECT_TRUE(reserve("udp", udp));
    EXPECT_TRUE(reserve("a", tcp_port(8090, 80, "127.0.0.1")));
    EXPECT_TRUE(reserve("b", tcp_port(8090, 80, "127.0.0.2")));
    EXPECT_TRUE(reserve("c", tcp_port(8090, 80)).failed_as(base::ErrorKind::Conflict));

    const auto server = listen_tcp(-1, 9000);
    EXPECT_THAT(reserve("d", tcp_port(9000, 80)).error().message(),
                HasSubstr("listen tcp4 0.0.0.0:9000: bind: address already in use"));
    EXPECT_THAT(reserve("e", tcp_port(9001, 80, "198.51.100.1")).error().message(),
                HasSubstr("listen tcp4 198.51.100.1:9001: bind: cannot assign requested address"));

    // Nobody else gets what is published, with or without SO_REUSEADDR.
    sys::UniqueFd intruder = make_socket(-1, SOCK_STREAM);
    const int on = 1;
    ::setsockopt(intruder.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const auto name = socket_address("0.0.0.0", 8080);
    EXPECT_EQ(::bind(intruder.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name), -1);
    const auto guards = manager->port_guards(web->id).value();
    EXPECT_EQ(guards.size(), 1U);
    ASSERT_TRUE(manager->release(web->id));
    EXPECT_EQ(::bind(intruder.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name), -1)
        << "whoever holds a duplicate guards on";
  });
}

TEST(Choices, ServersThatAreGoneDoNotBlockTheirPort) {
  on_fresh_host([] {
    const auto manager = open_manager();
    {
      const auto server = listen_tcp(-1, 8080);
      auto connection = connect_tcp(-1, "127.0.0.1", 8080, server);
      ASSERT_TRUE(connection);
      connection->server.reset();  // closes first: TIME_WAIT stays on the server's side
      char byte = 0;
      ASSERT_TRUE(wait_for(connection->client, POLLIN, std::chrono::seconds{1}));
      EXPECT_EQ(::read(connection->client.get(), &byte, 1), 0);
    }
    const auto web = manager->reserve(request_for(*manager, "web", "bridge", {tcp_port(8080, 80)}));
    ASSERT_TRUE(web) << web.error().message();
    const auto listener = sys::UniqueFd{};
    EXPECT_FALSE(connect_tcp(-1, "127.0.0.1", 8080, listener, kBlocked))
        << "the guard itself accepts nothing";
  });
}

TEST(Choices, PortsAreChosenWhereTheyAreOpen) {
  on_fresh_host([] {
    const auto manager = open_manager();
    ASSERT_TRUE(sys::write_file(sys::kCwd, "/proc/sys/net/ipv4/ip_local_port_range", "40000 40002"));
    const auto picky = open_manager();
    const auto taken = listen_tcp(-1, 40001);
    EndpointRequest request = request_for(*picky, "a", "bridge", {tcp_port(0, 80), tcp_port(0, 81)});
    const Endpoint endpoint = picky->reserve(request).value();
    EXPECT_EQ(endpoint.ports[0].host_port, 40000);
    EXPECT_EQ(endpoint.ports[1].host_port, 40002);
    EXPECT_EQ(picky->endpoints_of(request.container).at(0).ports, endpoint.ports);
    EXPECT_TRUE(picky->reserve(request_for(*picky, "b", "bridge", {tcp_port(0, 80)}))
                    .failed_as(base::ErrorKind::Conflict));
    PortBinding range = tcp_port(8000, 80);
    range.host_port_end = 8001;
    EXPECT_EQ(picky->reserve(request_for(*picky, "c", "bridge", {range})).value().ports[0].host_port, 8000);
    EXPECT_EQ(picky->reserve(request_for(*picky, "d", "bridge", {range})).value().ports[0].host_port, 8001);
    EXPECT_THAT(picky->reserve(request_for(*picky, "e", "bridge", {range})).error().message(),
                HasSubstr("Bind for 0.0.0.0:8000-8001 failed: all ports are allocated"));
    EXPECT_EQ(picky->endpoints_in(request.network).size(), 3U) << "what failed left no endpoint";
  });
}

TEST(Choices, AddressesOfANetwork) {
  on_fresh_host([] {
    const auto manager = open_manager();
    ASSERT_TRUE(manager->create_network({.name = "small", .subnet = "10.5.0.0/29"}));
    EndpointRequest wanted = request_for(*manager, "wanted", "small");
    wanted.address = Ipv4::parse("10.5.0.3").value();
    wanted.mac = Mac::parse("02:00:00:00:00:01").value();
    EXPECT_EQ(manager->reserve(wanted).value().mac.str(), "02:00:00:00:00:01");
    EndpointRequest same = request_for(*manager, "same", "small");
    same.address = wanted.address;
    EXPECT_EQ(manager->reserve(same).error().message(), "Address already in use");
    same.address = Ipv4::parse("10.6.0.3").value();
    EXPECT_TRUE(manager->reserve(same).failed_as(base::ErrorKind::InvalidArgument));
    EXPECT_TRUE(manager->reserve(wanted).failed_as(base::ErrorKind::PermissionDenied))
        << "twice in one network";
    std::vector<std::string> given;
    for (int i = 0; i < 4; ++i)
      given.push_back(manager->reserve(request_for(*manager, "c", "small")).value().address.str());
    EXPECT_THAT(given, testing::ElementsAre("10.5.0.2", "10.5.0.4", "10.5.0.5", "10.5.0.6"));
    EXPECT_THAT(manager->reserve(request_for(*manager, "c", "small")).error().message(),
                HasSubstr("no available IPv4 addresses on this network's address pools"));
  });
}

TEST(Choices, NetworksOfEveryKind) {
  on_fresh_host([] {
    const auto manager = open_manager();
    const auto message = [](const auto& result) { return result ? "(accepted)" : result.error().message(); };
    const std::string before = kernel_state();
    const Network blue = manager->create_network({.name = "blue"}).value();
    EXPECT_EQ(message(manager->create_network({.name = "blue"})), "network with name blue already exists");
    EXPECT_EQ(message(manager->create_network({.name = "host"})),
              "operation is not permitted on predefined host network ");
    EXPECT_THAT(message(manager->create_network({.name = "red", .subnet = "172.18.9.0/24"})),
                HasSubstr("Pool overlaps"));
    EXPECT_EQ(manager->find_network(blue.id.str().substr(0, 6)).value().name, "blue");
    EXPECT_EQ(message(manager->find_network("nothing")), "network nothing not found");
    const Container c = start(*manager, request_for(*manager, "c", "blue"));
    EXPECT_THAT(message(manager->remove_network(blue.id)),
                HasSubstr("network blue has active endpoints (name:\"c\""));
    ASSERT_TRUE(manager->release(c.endpoint.id, Detach::Now));
    EXPECT_TRUE(manager->remove_network(blue.id));
    EXPECT_EQ(kernel_state(), before);
    EXPECT_TRUE(manager->remove_network(manager->find_network("bridge")->id)
                    .failed_as(base::ErrorKind::PermissionDenied));
    EXPECT_TRUE(manager->remove_network(blue.id).failed_as(base::ErrorKind::NotFound));

    // A bridge of the administrator is used and left.
    auto host = sys::RouteSocket::open().value();
    sys::RouteBatch batch;
    batch.create_bridge({.name = "admin0"});
    ASSERT_TRUE(host.run(batch));
    const Network lan =
        manager->create_network({.name = "lan", .options = {{"com.docker.network.bridge.name", "admin0"}}})
            .value();
    EXPECT_THAT(message(manager->create_network(
                    {.name = "lan2", .options = {{"com.docker.network.bridge.name", "admin0"}}})),
                HasSubstr("bridge admin0 belongs to network lan already"));
    ASSERT_TRUE(manager->remove_network(lan.id));
    EXPECT_TRUE(host.link("admin0"));
    EXPECT_THAT(message(manager->create_network(
                    {.name = "bad", .options = {{"com.docker.network.bridge.name", "lo"}}})),
                HasSubstr("interface lo is no bridge"));
  });
}

TEST(Choices, TheDefaultSubnetAvoidsTheHosts) {
  on_fresh_host([] {
    auto host = sys::RouteSocket::open().value();
    sys::RouteBatch batch;
    batch.create_bridge({.name = "lan"});
    batch.set_up("lan");
    ASSERT_TRUE(host.run(batch));
    sys::RouteBatch address;
    address.add_address(host.link("lan").value().index, sys::InetAddress::v4(0xac110901), 24);  // 172.17.9.1
    ASSERT_TRUE(host.run(address));
    EXPECT_EQ(open_manager()->find_network("bridge").value().subnet.str(), "172.18.0.0/16");
    const auto fixed = open_manager(
        {.bip = "192.168.5.1/24", .fixed_cidr = "192.168.5.128/25", .default_gateway = "192.168.5.254"});
    const Endpoint endpoint = fixed->reserve(request_for(*fixed, "c")).value();
    EXPECT_EQ(endpoint.address.str(), "192.168.5.128");
    EXPECT_EQ(endpoint.prefix_length, 24U);
    EXPECT_EQ(endpoint.gateway.str(), "192.168.5.254");
    const auto none = open_manager({.default_network = false});
    EXPECT_TRUE(none->networks().empty());
  });
}

TEST(Choices, IptablesThatDropIsPassed) {
  on_fresh_host([] {
    // As iptables-nft leaves it after `iptables -P FORWARD DROP`.
    ASSERT_TRUE(sys::run_nft(
        "add table ip filter\n"
        "add chain ip filter FORWARD { type filter hook forward priority filter; policy drop; }\n"));
    const auto outside = make_outside();
    const std::string before = sys::run_nft("list table ip filter").value();
    const auto manager = open_manager();
    const auto again = open_manager();
    const std::string rules = sys::run_nft("list table ip filter").value();
    EXPECT_THAT(rules, HasSubstr("oifname \"caisson0\" counter packets 0 bytes 0 accept"));
    EXPECT_EQ(rules.find("oifname"), rules.rfind("oifname")) << "once, however often the daemon starts";
    const Container a = start(*again, request_for(*again, "a"));
    const auto in_outside = listen_tcp(outside.get(), 82);
    EXPECT_TRUE(connect_tcp(a.netns.get(), "203.0.113.2", 82, in_outside));
    const Network blue = again->create_network({.name = "blue"}).value();
    EXPECT_THAT(sys::run_nft("list table ip filter").value(), HasSubstr(blue.bridge));
    ASSERT_TRUE(again->remove_network(blue.id));
    EXPECT_EQ(sys::run_nft("list table ip filter").value().find(blue.bridge), std::string::npos);
  });
}

}  // namespace
}  // namespace net
