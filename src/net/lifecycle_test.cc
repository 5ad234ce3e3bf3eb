/// What stands in kernel and records at each moment of a network's and an endpoint's life.

#include <array>
#include <cstdlib>

#include <gmock/gmock.h>

#include "net/detail/ruleset.h"
#include "net/detail/test_host.h"
#include "state/database.h"
#include "sys/nftables.h"

namespace net {
namespace {

using namespace test;  // NOLINT
using testing::HasSubstr;

/// Everything of ours in the kernel, as text: two equal ones mean that nothing was left behind.
std::string kernel_state() {
  std::string text = sys::run_nft("list table ip caisson").value_or("no table\n");
  const auto links = sys::RouteSocket::open().value().links().value();
  for (const auto& link : links) text += link.name + '\n';
  return text;
}

/// The kernel destroys a namespace's interfaces after its last descriptor is gone, and says so.
void wait_until_gone(const std::string& interface) {
  auto socket = sys::RouteSocket::open().value();
  for (int i = 0; i < 500 && socket.link(interface); ++i) ::usleep(10'000);
  EXPECT_TRUE(socket.link(interface).failed_as(base::ErrorKind::NotFound)) << interface;
}

class TempDatabase {
 public:
  TempDatabase() {
    char path[] = "/tmp/net_test.XXXXXX";
    directory_ = ::mkdtemp(path);
  }
  TempDatabase(const TempDatabase&) = delete;
  TempDatabase& operator=(const TempDatabase&) = delete;
  ~TempDatabase() { base::ignore(sys::remove_tree(sys::kCwd, directory_), "a test's directory"); }
  std::unique_ptr<state::Database> open() { return state::Database::open(directory_ + "/caisson.db").value(); }

 private:
  std::string directory_;
};

TEST(Lifecycle, ReleaseLeavesNothing) {
  on_fresh_host([] {
    const auto manager = open_manager();
    const std::string before = kernel_state();
    {
      Container now = start(*manager, request_for(*manager, "now", "bridge", {tcp_port(8080, 80), tcp_port(8081, 81, "127.0.0.1")}));
      EXPECT_THAT(kernel_state(), HasSubstr("tcp . 8080 : 172.17.0.2 . 80"));
      EXPECT_THAT(kernel_state(), HasSubstr("127.0.0.1 . tcp . 8081 : 172.17.0.2 . 81"));
      EXPECT_EQ(manager->endpoints_of(now.endpoint.container).size(), 1U);
      ASSERT_TRUE(manager->release(now.endpoint.id, Detach::Now));
      EXPECT_EQ(kernel_state(), before);
      EXPECT_TRUE(manager->release(now.endpoint.id, Detach::Now)) << "twice is no error";
      EXPECT_TRUE(manager->endpoints_of(now.endpoint.container).empty());
      EXPECT_TRUE(manager->attach(now.endpoint, now.netns.get()).failed_as(base::ErrorKind::NotFound));
    }
    Container later = start(*manager, request_for(*manager, "later", "bridge", {tcp_port(8080, 80)}));
    ASSERT_TRUE(manager->release(later.endpoint.id));
    later.netns.reset();
    wait_until_gone(later.endpoint.host_interface);
    EXPECT_EQ(kernel_state(), before);
  });
}

TEST(Lifecycle, NoInterfaceOfOursHasIpv6) {  // CVE-2020-13401 among others
  on_fresh_host([] {
    const auto manager = open_manager();
    const Container c = start(*manager, request_for(*manager, "c"));
    const auto is_off = [](const std::string& interface) {
      return sys::read_file(sys::kCwd, "/proc/sys/net/ipv6/conf/" + interface + "/disable_ipv6").value_or("1\n") == "1\n";
    };
    EXPECT_TRUE(is_off("caisson0"));
    EXPECT_TRUE(is_off(c.endpoint.host_interface));
    EXPECT_TRUE(sys::in_netns(c.netns.get(), [&]() -> base::Result<> {
      EXPECT_TRUE(is_off("eth0"));
      return {};
    }));
  });
}

TEST(Lifecycle, StrayInterfacesAreCollected) {
  on_fresh_host([] {
    const auto manager = open_manager();
    const auto netns = make_netns();
    auto host = sys::RouteSocket::open().value();
    const auto bridge = host.link("caisson0").value().index;
    sys::RouteBatch batch;
    batch.create_veth({.name = "csn0123456789ab", .master = bridge, .peer_name = "eth0", .peer_netns = netns.get()});
    batch.create_veth({.name = "vm-of-the-admin", .master = bridge, .peer_name = "eth1", .peer_netns = netns.get()});
    batch.create_veth({.name = "csn0123456789cd", .peer_name = "eth2", .peer_netns = netns.get()});
    ASSERT_TRUE(host.run(batch));
    ASSERT_TRUE(manager->recover({}));
    EXPECT_FALSE(host.link("csn0123456789ab"));
    EXPECT_TRUE(host.link("vm-of-the-admin"));
    EXPECT_TRUE(host.link("csn0123456789cd")) << "not on a bridge of ours";
  });
}

TEST(Lifecycle, WithoutFirewallThereAreNoPorts) {
  on_fresh_host([] {
    const auto manager = open_manager({.firewall = false});
    const Container a = start(*manager, request_for(*manager, "a"));
    const Container b = start(*manager, request_for(*manager, "b"));
    const auto listener = listen_tcp(b.netns.get(), 80);
    EXPECT_TRUE(connect_tcp(a.netns.get(), "172.17.0.3", 80, listener));
    EXPECT_TRUE(manager->reserve(request_for(*manager, "c", "bridge", {tcp_port(8080, 80)})).failed_as(base::ErrorKind::InvalidArgument));
    EXPECT_TRUE(sys::run_nft("list table ip caisson").failed_as(base::ErrorKind::NotFound));
  });
}

TEST(Lifecycle, EveryFailedStepIsUndone) {
  on_fresh_host([] {
    const auto manager = open_manager();
    const std::string before = kernel_state();
    const auto request = request_for(*manager, "c", "bridge", {tcp_port(8080, 80)});
    for (const auto* fault : {"net.reserve.record:ENOSPC", "bind:EACCES"}) {
      ::setenv("CAISSON_FAULT", fault, 1);
      EXPECT_FALSE(manager->reserve(request)) << fault;
      ::unsetenv("CAISSON_FAULT");
      EXPECT_TRUE(manager->endpoints_in(request.network).empty()) << fault;
    }
    const auto netns = make_netns();
    const Endpoint endpoint = manager->reserve(request).value();
    for (const auto* fault : {"net.attach.link:EIO", "net.attach.inside:EIO", "nft:ENOMEM", "net.attach.rules:EIO"}) {
      ::setenv("CAISSON_FAULT", fault, 1);
      EXPECT_FALSE(manager->attach(endpoint, netns.get())) << fault;
      ::unsetenv("CAISSON_FAULT");
      EXPECT_EQ(kernel_state(), before) << fault;
      auto inside = sys::RouteSocket::open_in(netns.get()).value();
      EXPECT_TRUE(inside.link("eth0").failed_as(base::ErrorKind::NotFound)) << fault;
    }
    EXPECT_TRUE(manager->attach(endpoint, netns.get())) << "the reservation stays, so it can be tried again";
    for (const auto* fault : {"net.release.rules:EIO", "net.release.record:ENOSPC", "nft:ENOMEM"}) {
      ::setenv("CAISSON_FAULT", fault, 1);
      EXPECT_FALSE(manager->release(endpoint.id, Detach::Now)) << fault;
      ::unsetenv("CAISSON_FAULT");
      EXPECT_EQ(manager->endpoints_in(request.network).size(), 1U) << "not forgotten before it is gone: " << fault;
    }
    EXPECT_TRUE(manager->release(endpoint.id, Detach::Now));
    EXPECT_EQ(kernel_state(), before);

    for (const auto* fault : {"net.create.bridge:EIO", "nft:ENOMEM"}) {
      ::setenv("CAISSON_FAULT", fault, 1);
      EXPECT_FALSE(manager->create_network({.name = "blue"})) << fault;
      ::unsetenv("CAISSON_FAULT");
      EXPECT_EQ(kernel_state(), before) << fault;
      EXPECT_EQ(manager->networks().size(), 1U);
    }
    EXPECT_EQ(manager->create_network({.name = "blue"}).value().subnet.str(), "172.18.0.0/16");
  });
}

TEST(Lifecycle, ARestartKeepsFlowsAndForgetsTheDead) {
  on_fresh_host([] {
    const auto outside = make_outside();
    TempDatabase directory;
    auto database = directory.open();
    auto manager = open_manager({}, records_in(*database));
    ASSERT_TRUE(manager->create_network({.name = "blue", .labels = {{"a", "b"}}}));
    Container web = start(*manager, request_for(*manager, "web", "bridge", {tcp_port(8080, 80)}));
    Container dead = start(*manager, request_for(*manager, "dead", "blue", {tcp_port(8081, 80)}));
    const auto listener = listen_tcp(web.netns.get(), 80);
    const auto connection = connect_tcp(outside.get(), "203.0.113.1", 8080, listener);
    ASSERT_TRUE(connection && connection->works());
    const auto networks = manager->networks();
    manager.reset();
    database.reset();
    EXPECT_TRUE(connection->works()) << "nothing on the data path lives in the daemon";
    EXPECT_TRUE(connect_tcp(outside.get(), "203.0.113.1", 8080, listener)) << "new connections neither";

    dead.netns.reset();
    database = directory.open();
    manager = open_manager({}, records_in(*database));
    ASSERT_EQ(manager->networks().size(), 2U);
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_EQ(manager->networks()[i].id, networks[i].id);
      EXPECT_EQ(manager->networks()[i].subnet, networks[i].subnet);
      EXPECT_EQ(manager->networks()[i].created, networks[i].created);
      EXPECT_EQ(manager->networks()[i].config.labels, networks[i].config.labels);
    }
    const Endpoint adopted = manager->endpoints_of(web.endpoint.container).at(0);
    EXPECT_EQ(adopted.address, web.endpoint.address);
    EXPECT_EQ(adopted.ports, web.endpoint.ports);
    EXPECT_EQ(adopted.mac, web.endpoint.mac);
    ASSERT_TRUE(manager->recover({web.endpoint.container}));
    EXPECT_TRUE(manager->endpoints_of(dead.endpoint.container).empty());
    EXPECT_TRUE(connection->works());
    EXPECT_TRUE(connect_tcp(outside.get(), "203.0.113.1", 8080, listener));
    EXPECT_EQ(kernel_state().find("8081"), std::string::npos);
    const auto clash = manager->reserve(request_for(*manager, "late", "bridge", {tcp_port(8080, 80)}));
    EXPECT_THAT(clash.error().message(), HasSubstr("Bind for 0.0.0.0:8080 failed: port is already allocated"));
    ASSERT_TRUE(manager->release(web.endpoint.id));
    EXPECT_TRUE(manager->reserve(request_for(*manager, "late", "bridge", {tcp_port(8080, 80)})));
  });
}

TEST(Lifecycle, ARestartRepairsWhatOthersDestroyed) {
  on_fresh_host([] {
    const auto outside = make_outside();
    TempDatabase directory;
    auto database = directory.open();
    auto manager = open_manager({}, records_in(*database));
    const Container web = start(*manager, request_for(*manager, "web", "bridge", {tcp_port(8080, 80)}));
    const auto listener = listen_tcp(web.netns.get(), 80);
    manager.reset();
    ASSERT_TRUE(sys::run_nft("flush ruleset"));
    auto host = sys::RouteSocket::open().value();
    sys::RouteBatch remove;
    remove.delete_link("caisson0");
    ASSERT_TRUE(host.run(remove));
    ASSERT_FALSE(connect_tcp(outside.get(), "203.0.113.1", 8080, listener, kBlocked));

    manager = open_manager({}, records_in(*database));
    ASSERT_TRUE(manager->recover({web.endpoint.container}));
    EXPECT_TRUE(connect_tcp(outside.get(), "203.0.113.1", 8080, listener));

    // The same while the daemon runs: the next container finds it out.
    ASSERT_TRUE(sys::run_nft("flush ruleset"));
    sys::RouteBatch again;
    again.delete_link("caisson0");
    ASSERT_TRUE(host.run(again));
    const Container next = start(*manager, request_for(*manager, "next", "bridge", {tcp_port(8081, 80)}));
    const auto next_listener = listen_tcp(next.netns.get(), 80);
    EXPECT_TRUE(connect_tcp(outside.get(), "203.0.113.1", 8081, next_listener));
    EXPECT_TRUE(connect_tcp(outside.get(), "203.0.113.1", 8080, listener)) << "the older ones too";
  });
}

TEST(Lifecycle, KilledAtAnyMomentTheNextStartCollects) {
  for (const auto* point : {"net.reserve.recorded", "net.attach.link", "net.attach.inside", "net.attach.rules",
                            "net.release.rules", "net.release.kernel", "net.create.recorded", "net.remove.gone"}) {
    on_fresh_host([point] {
      TempDatabase directory;
      std::string clean;
      {
        auto database = directory.open();
        const auto manager = open_manager({}, records_in(*database));
        clean = kernel_state();
      }
      const pid_t child = ::fork();
      if (child == 0) {
        auto database = directory.open();
        const auto manager = open_manager({}, records_in(*database));
        ::setenv("CAISSON_CRASH_AT", point, 1);
        const auto blue = manager->create_network({.name = "blue"});
        const Container c = start(*manager, request_for(*manager, "c", "bridge", {tcp_port(8080, 80)}));
        base::ignore(manager->release(c.endpoint.id, Detach::Now), "it dies before");
        base::ignore(manager->remove_network(blue->id), "it dies here at the latest");
        ::_exit(0);
      }
      int status = 0;
      ::waitpid(child, &status, 0);
      ASSERT_TRUE(WIFSIGNALED(status)) << point;
      auto database = directory.open();
      const auto manager = open_manager({}, records_in(*database));
      ASSERT_TRUE(manager->recover({}));
      for (const Network& network : manager->networks()) {
        EXPECT_TRUE(manager->endpoints_in(network.id).empty());
        EXPECT_TRUE(network.is_default || manager->remove_network(network.id)) << point;
      }
      auto socket = sys::RouteSocket::open().value();
      const auto links = socket.links().value();
      for (const auto& link : links) {
        if (link.kind == "veth") wait_until_gone(link.name);
      }
      EXPECT_EQ(kernel_state(), clean) << point;
      EXPECT_EQ(manager->reserve(request_for(*manager, "n", "bridge", {tcp_port(8080, 80)})).value().address.str(), "172.17.0.2") << point;
    });
  }
}

TEST(Lifecycle, PortsAreExclusive) {
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
      EXPECT_THAT(refused.error().message(),
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

TEST(Lifecycle, ServersThatAreGoneDoNotBlockTheirPort) {
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
    EXPECT_FALSE(connect_tcp(-1, "127.0.0.1", 8080, listener, kBlocked)) << "the guard itself accepts nothing";
  });
}

TEST(Lifecycle, PortsAreChosenWhereTheyAreOpen) {
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
    EXPECT_TRUE(picky->reserve(request_for(*picky, "b", "bridge", {tcp_port(0, 80)})).failed_as(base::ErrorKind::Conflict));
    PortBinding range = tcp_port(8000, 80);
    range.host_port_end = 8001;
    EXPECT_EQ(picky->reserve(request_for(*picky, "c", "bridge", {range})).value().ports[0].host_port, 8000);
    EXPECT_EQ(picky->reserve(request_for(*picky, "d", "bridge", {range})).value().ports[0].host_port, 8001);
    EXPECT_THAT(picky->reserve(request_for(*picky, "e", "bridge", {range})).error().message(),
                HasSubstr("Bind for 0.0.0.0:8000-8001 failed: all ports are allocated"));
    EXPECT_EQ(picky->endpoints_in(request.network).size(), 3U) << "what failed left no endpoint";
  });
}

TEST(Lifecycle, AddressesOfANetwork) {
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
    EXPECT_TRUE(manager->reserve(wanted).failed_as(base::ErrorKind::PermissionDenied)) << "twice in one network";
    std::vector<std::string> given;
    for (int i = 0; i < 4; ++i) given.push_back(manager->reserve(request_for(*manager, "c", "small")).value().address.str());
    EXPECT_THAT(given, testing::ElementsAre("10.5.0.2", "10.5.0.4", "10.5.0.5", "10.5.0.6"));
    EXPECT_THAT(manager->reserve(request_for(*manager, "c", "small")).error().message(),
                HasSubstr("no available IPv4 addresses on this network's address pools"));
  });
}

TEST(Lifecycle, NetworksOfEveryKind) {
  on_fresh_host([] {
    const auto manager = open_manager();
    const auto message = [](const auto& result) { return result ? "(accepted)" : result.error().message(); };
    const std::string before = kernel_state();
    const Network blue = manager->create_network({.name = "blue"}).value();
    EXPECT_EQ(message(manager->create_network({.name = "blue"})), "network with name blue already exists");
    EXPECT_EQ(message(manager->create_network({.name = "host"})), "operation is not permitted on predefined host network ");
    EXPECT_THAT(message(manager->create_network({.name = "red", .subnet = "172.18.9.0/24"})), HasSubstr("Pool overlaps"));
    EXPECT_EQ(manager->find_network(blue.id.str().substr(0, 6)).value().name, "blue");
    EXPECT_EQ(message(manager->find_network("nothing")), "network nothing not found");
    const Container c = start(*manager, request_for(*manager, "c", "blue"));
    EXPECT_THAT(message(manager->remove_network(blue.id)), HasSubstr("network blue has active endpoints (name:\"c\""));
    ASSERT_TRUE(manager->release(c.endpoint.id, Detach::Now));
    EXPECT_TRUE(manager->remove_network(blue.id));
    EXPECT_EQ(kernel_state(), before);
    EXPECT_TRUE(manager->remove_network(manager->find_network("bridge")->id).failed_as(base::ErrorKind::PermissionDenied));
    EXPECT_TRUE(manager->remove_network(blue.id).failed_as(base::ErrorKind::NotFound));

    // A bridge of the administrator is used and left.
    auto host = sys::RouteSocket::open().value();
    sys::RouteBatch batch;
    batch.create_bridge({.name = "admin0"});
    ASSERT_TRUE(host.run(batch));
    const Network lan = manager->create_network({.name = "lan", .options = {{"com.docker.network.bridge.name", "admin0"}}}).value();
    EXPECT_THAT(message(manager->create_network({.name = "lan2", .options = {{"com.docker.network.bridge.name", "admin0"}}})),
                HasSubstr("bridge admin0 belongs to network lan already"));
    ASSERT_TRUE(manager->remove_network(lan.id));
    EXPECT_TRUE(host.link("admin0"));
    EXPECT_THAT(message(manager->create_network({.name = "bad", .options = {{"com.docker.network.bridge.name", "lo"}}})),
                HasSubstr("interface lo is no bridge"));
  });
}

TEST(Lifecycle, TheDefaultSubnetAvoidsTheHosts) {
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
    const auto fixed = open_manager({.bip = "192.168.5.1/24", .fixed_cidr = "192.168.5.128/25", .default_gateway = "192.168.5.254"});
    const Endpoint endpoint = fixed->reserve(request_for(*fixed, "c")).value();
    EXPECT_EQ(endpoint.address.str(), "192.168.5.128");
    EXPECT_EQ(endpoint.prefix_length, 24U);
    EXPECT_EQ(endpoint.gateway.str(), "192.168.5.254");
    const auto none = open_manager({.default_network = false});
    EXPECT_TRUE(none->networks().empty());
  });
}

TEST(Lifecycle, IptablesThatDropIsPassed) {
  on_fresh_host([] {
    // As iptables-nft leaves it after `iptables -P FORWARD DROP`.
    ASSERT_TRUE(sys::run_nft("add table ip filter\n"
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

TEST(Lifecycle, ThreeHundredContainers) {
  on_fresh_host([] {
    TempDatabase directory;
    auto database = directory.open();
    auto manager = open_manager({}, records_in(*database));
    const std::string rules = sys::run_nft("list table ip caisson").value();
    std::vector<Container> containers;
    for (std::uint16_t i = 0; i < 300; ++i) {
      containers.push_back(start(*manager, request_for(*manager, "c", "bridge", {tcp_port(static_cast<std::uint16_t>(10000 + i), 80)})));
    }
    manager.reset();
    manager = open_manager({}, records_in(*database));
    EXPECT_EQ(manager->endpoints_in(manager->find_network("bridge")->id).size(), 300U);
    for (const std::size_t i : {std::size_t{0}, std::size_t{150}, std::size_t{299}}) {
      const auto listener = listen_tcp(containers[i].netns.get(), 80);
      EXPECT_TRUE(connect_tcp(-1, "127.0.0.1", static_cast<std::uint16_t>(10000 + i), listener)) << i;
    }
    ASSERT_TRUE(manager->recover({}));
    EXPECT_EQ(sys::run_nft("list table ip caisson").value(), rules);
  });
}

TEST(Lifecycle, WithoutPrivilegeTheErrorSaysSo) {
  on_fresh_host([] {
    ASSERT_EQ(::setresuid(65534, 65534, 65534), 0);
    const auto manager = Manager::open({}, records_in_memory());
    ASSERT_FALSE(manager);
    EXPECT_TRUE(manager.failed_as(base::ErrorKind::PermissionDenied)) << manager.error().message();
    EXPECT_THAT(manager.error().message(), HasSubstr("create bridge caisson0"));
  });
}

}  // namespace
}  // namespace net
