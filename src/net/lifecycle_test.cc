/// What stands in kernel and records at each moment of a network's and an endpoint's life.

#include <array>
#include <cstdlib>
#include <thread>

#include <gmock/gmock.h>

#include "net/detail/ruleset.h"
#include "net/detail/test_host.h"
#include "state/database.h"
#include "sys/nftables.h"

namespace net {
namespace {

using namespace test;  // NOLINT
using testing::HasSubstr;

class TempDatabase {
 public:
  TempDatabase() {
    char path[] = "/tmp/net_test.XXXXXX";
    directory_ = ::mkdtemp(path);
  }
  TempDatabase(const TempDatabase&) = delete;
  TempDatabase& operator=(const TempDatabase&) = delete;
  ~TempDatabase() { base::ignore(sys::remove_tree(sys::kCwd, directory_), "a test's directory"); }
  std::unique_ptr<state::Database> open() {
    return state::Database::open(directory_ + "/caisson.db").value();
  }

 private:
  std::string directory_;
};

TEST(Lifecycle, ReleaseLeavesNothing) {
  on_fresh_host([] {
    const auto manager = open_manager();
    const std::string before = kernel_state();
    {
      Container now = start(*manager, request_for(*manager, "now", "bridge",
                                                  {tcp_port(8080, 80), tcp_port(8081, 81, "127.0.0.1")}));
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
      return sys::read_file(sys::kCwd, "/proc/sys/net/ipv6/conf/" + interface + "/disable_ipv6")
                 .value_or("1\n") == "1\n";
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
    batch.create_veth(
        {.name = "csn0123456789ab", .master = bridge, .peer_name = "eth0", .peer_netns = netns.get()});
    batch.create_veth(
        {.name = "vm-of-the-admin", .master = bridge, .peer_name = "eth1", .peer_netns = netns.get()});
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
    EXPECT_TRUE(manager->reserve(request_for(*manager, "c", "bridge", {tcp_port(8080, 80)}))
                    .failed_as(base::ErrorKind::InvalidArgument));
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
    for (const auto* fault :
         {"net.attach.link:EIO", "net.attach.inside:EIO", "nft:ENOMEM", "net.attach.rules:EIO"}) {
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
      EXPECT_EQ(manager->endpoints_in(request.network).size(), 1U)
          << "not forgotten before it is gone: " << fault;
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
    EXPECT_THAT(clash.error().message(),
                HasSubstr("Bind for 0.0.0.0:8080 failed: port is already allocated"));
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
  for (const auto* point :
       {"net.reserve.recorded", "net.attach.link", "net.attach.inside", "net.attach.rules",
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
      EXPECT_EQ(
          manager->reserve(request_for(*manager, "n", "bridge", {tcp_port(8080, 80)})).value().address.str(),
          "172.17.0.2")
          << point;
    });
  }
}

TEST(Lifecycle, ThreeHundredContainers) {
  on_fresh_host([] {
    TempDatabase directory;
    auto database = directory.open();
    auto manager = open_manager({}, records_in(*database));
    const std::string rules = sys::run_nft("list table ip caisson").value();
    std::vector<Container> containers;
    for (std::uint16_t i = 0; i < 300; ++i) {
      containers.push_back(
          start(*manager,
                request_for(*manager, "c", "bridge", {tcp_port(static_cast<std::uint16_t>(10000 + i), 80)})));
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

TEST(Lifecycle, ManyThreadsAtOnce) {
  on_fresh_host([] {
    const auto manager = open_manager();
    const std::string rules = sys::run_nft("list table ip caisson").value();
    constexpr std::uint16_t kThreads = 6;
    constexpr std::uint16_t kRounds = 8;
    std::array<std::vector<std::string>, kThreads> failures;
    std::vector<std::thread> threads;
    for (std::uint16_t t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        const auto check = [&](const auto& result) {
          if (!result) failures[t].push_back(result.error().message());
          return result.has_value();
        };
        for (std::uint16_t round = 0; round < kRounds; ++round) {
          const auto port = static_cast<std::uint16_t>(20000 + t);
          const auto endpoint = manager->reserve(request_for(*manager, "c", "bridge", {tcp_port(port, 80)}));
          if (!check(endpoint)) return;
          const auto netns = make_netns();
          check(manager->attach(*endpoint, netns.get()));
          const auto listener = listen_tcp(netns.get(), 80);
          if (!connect_tcp(-1, "127.0.0.1", port, listener)) failures[t].emplace_back("not reached");
          if (t == 0) {
            const auto made = manager->create_network({.name = "n" + std::to_string(round)});
            if (check(made)) check(manager->remove_network(made->id));
          }
          check(manager->release(endpoint->id));
        }
      });
    }
    for (auto& thread : threads) thread.join();
    for (const auto& of_thread : failures) EXPECT_THAT(of_thread, testing::IsEmpty());
    EXPECT_EQ(sys::run_nft("list table ip caisson").value(), rules);
    EXPECT_TRUE(manager->endpoints_in(manager->find_network("bridge")->id).empty());
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
