#include "net/detail/ipam.h"

#include <vector>

#include <gtest/gtest.h>

#include "net/detail/resolve.h"
#include "net/manager.h"

namespace net::detail {
namespace {

Subnet subnet(const char* text) { return Subnet::parse(text).value(); }
Ipv4 ip(const char* text) { return Ipv4::parse(text).value(); }

TEST(Ipam, UpwardsAndReusedLate) {
  AddressAllocator addresses{subnet("10.0.0.0/29"), subnet("10.0.0.0/29")};
  ASSERT_TRUE(addresses.take(ip("10.0.0.1")));
  EXPECT_EQ(addresses.allocate().value().str(), "10.0.0.2");
  EXPECT_EQ(addresses.allocate().value().str(), "10.0.0.3");
  addresses.release(ip("10.0.0.2"));
  EXPECT_EQ(addresses.allocate().value().str(), "10.0.0.4");
  EXPECT_EQ(addresses.allocate().value().str(), "10.0.0.5");
  EXPECT_EQ(addresses.allocate().value().str(), "10.0.0.6");
  EXPECT_EQ(addresses.allocate().value().str(), "10.0.0.2") << "wrapped, past network address and gateway";
  EXPECT_TRUE(addresses.allocate().failed_as(base::ErrorKind::Unavailable));
  addresses.release(ip("10.0.0.5"));
  EXPECT_EQ(addresses.allocate().value().str(), "10.0.0.5");
}

TEST(Ipam, ExplicitAddresses) {
  AddressAllocator addresses{subnet("10.0.0.0/24"), subnet("10.0.0.128/25")};
  EXPECT_TRUE(addresses.take(ip("10.0.0.5"))) << "outside the range, inside the subnet";
  EXPECT_EQ(addresses.take(ip("10.0.0.5")).error().message(), "Address already in use");
  EXPECT_TRUE(addresses.take(ip("10.0.1.5")).failed_as(base::ErrorKind::InvalidArgument));
  EXPECT_TRUE(addresses.take(ip("10.0.0.0")).failed_as(base::ErrorKind::InvalidArgument));
  EXPECT_TRUE(addresses.take(ip("10.0.0.255")).failed_as(base::ErrorKind::InvalidArgument));
  EXPECT_EQ(addresses.allocate().value().str(), "10.0.0.128");
}

TEST(Ipam, TheWholeAddressSpaceDoesNotOverflow) {
  AddressAllocator top{subnet("255.255.255.252/30"), subnet("255.255.255.252/30")};
  EXPECT_EQ(top.allocate().value().str(), "255.255.255.253");
  EXPECT_EQ(top.allocate().value().str(), "255.255.255.254");
  EXPECT_TRUE(top.allocate().failed_as(base::ErrorKind::Unavailable));
}

TEST(Ipam, PoolsAvoidWhatIsTaken) {
  std::vector<Pool> pools;
  for (const AddressPool& pool : default_pools()) pools.push_back({pool.base, pool.size});
  EXPECT_EQ(choose_subnet(pools, {}).value().str(), "172.17.0.0/16");
  std::vector<Subnet> taken{subnet("172.16.0.0/14"), subnet("172.20.7.0/24")};
  EXPECT_EQ(choose_subnet(pools, taken).value().str(), "172.21.0.0/16");
  taken.push_back(subnet("172.16.0.0/12"));
  EXPECT_EQ(choose_subnet(pools, taken).value().str(), "192.168.0.0/20");
  taken.push_back(subnet("192.168.1.0/24"));
  EXPECT_EQ(choose_subnet(pools, taken).value().str(), "192.168.16.0/20");
  taken.push_back(subnet("192.168.0.0/16"));
  EXPECT_EQ(choose_subnet(pools, taken).error().message(),
            "all predefined address pools have been fully subnetted");
}

base::Result<Network> resolved(const NetworkConfig& config, std::vector<Subnet> others = {}) {
  const std::vector<Pool> pools{{subnet("172.17.0.0/16"), 16}};
  return resolve(config, {.pools = pools, .networks = others, .host = {}});
}

TEST(Resolve, DefaultsAndOptions) {
  const Network plain = resolved({.name = "n"}).value();
  EXPECT_EQ(plain.subnet.str(), "172.17.0.0/16");
  EXPECT_EQ(plain.gateway.str(), "172.17.0.1");
  EXPECT_EQ(plain.bridge, "br-" + plain.id.short_str());
  EXPECT_EQ(plain.mtu, 1500U);
  EXPECT_TRUE(plain.icc && plain.masquerade);

  const Network custom = resolved({.name = "n",
                                   .subnet = "10.1.0.0/16",
                                   .ip_range = "10.1.5.0/24",
                                   .gateway = "10.1.5.254",
                                   .auxiliary_addresses = {{"router", "10.1.5.1"}},
                                   .options = {{"com.docker.network.bridge.name", "lan0"},
                                               {"com.docker.network.bridge.enable_icc", "false"},
                                               {"com.docker.network.bridge.enable_ip_masquerade", "F"},
                                               {"com.docker.network.driver.mtu", "9000"}}})
                             .value();
  EXPECT_EQ(custom.bridge, "lan0");
  EXPECT_EQ(custom.gateway.str(), "10.1.5.254");
  EXPECT_EQ(custom.mtu, 9000U);
  EXPECT_FALSE(custom.icc || custom.masquerade);
  auto addresses = allocator_for(custom).value();
  EXPECT_EQ(addresses.allocate().value().str(), "10.1.5.0");
  EXPECT_EQ(addresses.allocate().value().str(), "10.1.5.2") << "not the auxiliary address";
}

TEST(Resolve, Refusals) {
  const auto message = [](const NetworkConfig& config, std::vector<Subnet> others = {}) {
    const auto result = resolved(config, std::move(others));
    return result ? "(accepted)" : result.error().message();
  };
  EXPECT_EQ(message({.name = " "}), "invalid name: name is empty");
  EXPECT_EQ(message({.name = "n", .subnet = "10.0.0.0/33"}), "invalid CIDR address: 10.0.0.0/33");
  EXPECT_EQ(message({.name = "n", .subnet = "10.0.0.0/8"}, {subnet("10.9.0.0/16")}),
            "invalid pool request: Pool overlaps with other one on this address space");
  EXPECT_EQ(
      message({.name = "n", .subnet = "10.0.0.0/24", .gateway = "10.0.1.1"}),
      "gateway 10.0.1.1: invalid address 10.0.1.1: it does not belong to any of this network's subnets");
  EXPECT_EQ(message({.name = "n", .subnet = "10.0.0.0/24", .ip_range = "10.0.0.0/16"}),
            "invalid ip-range 10.0.0.0/16: it is not part of subnet 10.0.0.0/24");
  EXPECT_EQ(message({.name = "n", .options = {{"com.docker.network.driver.mtu", "x"}}}),
            "invalid MTU number: x");
  EXPECT_EQ(message({.name = "n", .options = {{"com.docker.network.bridge.enable_icc", "maybe"}}}),
            "driver-opt \"com.docker.network.bridge.enable_icc\" is not a valid bool");
  for (const auto* bad : {"a/b", "a b", "..", "\"; delete table ip filter", "sixteen-letters-"}) {
    EXPECT_TRUE(resolved({.name = "n", .options = {{"com.docker.network.bridge.name", bad}}})
                    .failed_as(base::ErrorKind::InvalidArgument))
        << bad;
  }
}

}  // namespace
}  // namespace net::detail
