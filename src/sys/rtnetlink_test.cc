#include "sys/rtnetlink.h"

#include <algorithm>
#include <cerrno>

#include <linux/netfilter.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "sys/file.h"
#include "sys/namespace.h"
#include "sys/nftables.h"

namespace sys {
namespace {

/// Runs `body` in a child in a network namespace of its own, which takes all it made with it.
template <class F>
void in_fresh_netns(F body) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root for a network namespace";
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (!unshare_namespaces(CLONE_NEWNET)) ::_exit(99);
    body();
    ::_exit(testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

UniqueFd make_netns() {
  UniqueFd made;
  const UniqueFd home = open_at(kCwd, "/proc/thread-self/ns/net", O_RDONLY).value();
  EXPECT_TRUE(unshare_namespaces(CLONE_NEWNET));
  made = open_at(kCwd, "/proc/thread-self/ns/net", O_RDONLY).value();
  EXPECT_TRUE(enter_namespaces(home.get(), CLONE_NEWNET));
  return made;
}

TEST(Rtnetlink, VethIsBornInTheOtherNamespace) {
  in_fresh_netns([] {
    const UniqueFd other = make_netns();
    auto socket = RouteSocket::open().value();
    RouteBatch bridge;
    bridge.create_bridge({.name = "br0", .mac = MacBytes{2, 0x42, 1, 2, 3, 4}, .mtu = 1400});
    bridge.set_up("br0");
    ASSERT_TRUE(socket.run(bridge));
    const Link made = socket.link("br0").value();
    EXPECT_EQ(made.kind, "bridge");
    EXPECT_EQ(made.mtu, 1400U);
    EXPECT_TRUE(made.up);
    EXPECT_EQ(made.mac, (MacBytes{2, 0x42, 1, 2, 3, 4}));

    RouteBatch veth;
    veth.create_veth({.name = "veth0",
                      .mtu = 1400,
                      .master = made.index,
                      .up = true,
                      .peer_name = "eth0",
                      .peer_mac = MacBytes{2, 0x42, 10, 0, 0, 2},
                      .peer_netns = other.get()});
    veth.set_bridge_port("veth0", {.hairpin = true});
    const auto result = socket.run(veth);
    ASSERT_TRUE(result) << result.error().message();
    EXPECT_EQ(socket.link("veth0").value().master, made.index);
    EXPECT_TRUE(socket.link("eth0").failed_as(base::ErrorKind::NotFound));

    auto inside = RouteSocket::open_in(other.get()).value();
    const Link peer = inside.link("eth0").value();
    EXPECT_EQ(peer.mac, (MacBytes{2, 0x42, 10, 0, 0, 2}));
    EXPECT_EQ(peer.mtu, 1400U);
    RouteBatch setup;
    setup.set_up("lo");
    setup.add_address(peer.index, InetAddress::v4(0x0a000002), 24);
    setup.set_up("eth0");
    setup.add_route({.gateway = InetAddress::v4(0x0a000001), .link = peer.index});
    ASSERT_TRUE(inside.run(setup));
    const auto addresses = inside.addresses().value();
    EXPECT_TRUE(std::ranges::any_of(addresses, [&](const LinkAddress& address) {
      return address.link == peer.index && address.address.family == AF_INET &&
             address.address.v4_value() == 0x0a000002 && address.prefix_length == 24;
    }));
    const auto routes = inside.routes().value();
    EXPECT_TRUE(std::ranges::any_of(routes, [&](const Route& route) {
      return !route.destination && route.gateway && route.gateway.v4_value() == 0x0a000001 &&
             route.link == peer.index;
    }));
    RouteBatch remove;
    remove.delete_link("veth0");
    ASSERT_TRUE(socket.run(remove));
    EXPECT_TRUE(inside.link("eth0").failed_as(base::ErrorKind::NotFound));
  });
}

TEST(Rtnetlink, TheErrorNamesTheStepThatFailed) {
  in_fresh_netns([] {
    auto socket = RouteSocket::open().value();
    RouteBatch batch;
    batch.create_bridge({.name = "br0"});
    batch.create_bridge({.name = "br0"});
    batch.set_up("br1");
    batch.set_up("br0");
    const auto result = socket.run(batch);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message(), "create bridge br0: File exists");
    EXPECT_TRUE(result.failed_as(base::ErrorKind::Conflict));
    EXPECT_TRUE(socket.link("br0").value().up) << "the kernel goes on after a failed message";
    RouteBatch again;
    again.set_up("br1");
    EXPECT_TRUE(socket.run(again).failed_as(base::ErrorKind::NotFound));
  });
}

TEST(Nftables, TextAndElementsAreTransactions) {
  in_fresh_netns([] {
    auto made = run_nft(
        "add table ip t\n"
        "add map ip t ports { type inet_proto . inet_service : ipv4_addr . inet_service; }\n"
        "add set ip t hosts { type ipv4_addr; }\n");
    ASSERT_TRUE(made) << made.error().message();

    NetfilterSockets sockets;
    const NftValue key = NftValue{}.protocol(6).port(8080);
    NftElements add{NFPROTO_IPV4, "t"};
    add.add("ports", key, NftValue{}.ipv4(0xac110002).port(80));
    add.add("hosts", NftValue{}.ipv4(0x01020304));
    auto result = add.commit(sockets);
    ASSERT_TRUE(result) << result.error().message();
    const std::string listed = run_nft("list table ip t").value();
    EXPECT_NE(listed.find("tcp . 8080 : 172.17.0.2 . 80"), std::string::npos) << listed;
    EXPECT_NE(listed.find("1.2.3.4"), std::string::npos);

    NftElements same{NFPROTO_IPV4, "t"};
    same.add("ports", key, NftValue{}.ipv4(0xac110002).port(80));
    EXPECT_TRUE(same.commit(sockets));
    NftElements other{NFPROTO_IPV4, "t"};
    other.add("hosts", NftValue{}.ipv4(0x05060708));
    other.add("ports", key, NftValue{}.ipv4(0xac110003).port(80));
    result = other.commit(sockets);
    EXPECT_TRUE(result.failed_as(base::ErrorKind::Conflict));
    EXPECT_EQ(run_nft("list table ip t").value().find("5.6.7.8"), std::string::npos) << "all or nothing";

    NftElements remove{NFPROTO_IPV4, "t"};
    remove.remove("ports", key);
    EXPECT_TRUE(remove.commit(sockets));
    NftElements twice{NFPROTO_IPV4, "t"};
    twice.remove("ports", key);
    EXPECT_TRUE(twice.commit(sockets).failed_as(base::ErrorKind::NotFound));

    EXPECT_TRUE(run_nft("list table ip nothing").failed_as(base::ErrorKind::NotFound));
    const auto bad = run_nft("add rubbish");
    EXPECT_TRUE(bad.failed_as(base::ErrorKind::InvalidArgument));
    EXPECT_NE(bad.error().message().find("syntax error"), std::string::npos);
  });
}

TEST(Nftables, WorksWithMoreDescriptorsThanSelectTakes) {
  in_fresh_netns([] {
    rlimit limit{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 4096);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur < 1200) GTEST_SKIP() << "the hard limit of descriptors is too low to tell";
    std::vector<UniqueFd> many;
    while (many.empty() || many.back().get() < 1100) many.push_back(make_eventfd().value());
    EXPECT_TRUE(run_nft("add table ip t"));
    EXPECT_NE(run_nft("list tables").value().find("table ip t"), std::string::npos);
    EXPECT_GE(make_eventfd().value().get(), 1100) << "the caller's descriptors are as they were";
  });
}

TEST(Nftables, WithoutPrivilegeThereIsOneClearError) {
  in_fresh_netns([] {
    ASSERT_EQ(::setresuid(65534, 65534, 65534), 0);
    NetfilterSockets sockets;
    NftElements add{NFPROTO_IPV4, "t"};
    add.add("hosts", NftValue{}.ipv4(1));
    add.add("hosts", NftValue{}.ipv4(2));
    EXPECT_TRUE(add.commit(sockets).failed_as(base::ErrorKind::PermissionDenied));
    RouteBatch batch;
    batch.create_bridge({.name = "br0"});
    EXPECT_TRUE(RouteSocket::open().value().run(batch).failed_as(base::ErrorKind::PermissionDenied));
  });
}

}  // namespace
}  // namespace sys
