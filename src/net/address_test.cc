#include "net/address.h"

#include <gtest/gtest.h>

#include "net/network.h"

namespace net {
namespace {

TEST(Ipv4, ParsesDottedDecimalOnly) {
  EXPECT_EQ(Ipv4::parse("172.17.0.2").value().value(), 0xac110002U);
  EXPECT_EQ(Ipv4::parse("255.255.255.255").value().str(), "255.255.255.255");
  for (const auto* bad :
       {"", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.04", "1.2.3.-4", "1.2.3.x", " 1.2.3.4"}) {
    EXPECT_EQ(Ipv4::parse(bad).error().message(), std::string{"invalid IP address: "} + bad);
  }
}

TEST(Mac, FromAddressAsDockerDoes) {
  EXPECT_EQ(Mac::of(Ipv4{0xac110002}).str(), "02:42:ac:11:00:02");
  EXPECT_EQ(Mac::parse("02:42:AC:11:00:02").value(), Mac::of(Ipv4{0xac110002}));
  EXPECT_EQ(Mac::parse("02-42-ac-11-00-02").value(), Mac::of(Ipv4{0xac110002}));
  for (const auto* bad :
       {"", "02:42:ac:11:00", "02:42:ac:11:00:0g", "2:42:ac:11:00:02", "02:42:ac:11:00:02:03"}) {
    EXPECT_TRUE(Mac::parse(bad).failed_as(base::ErrorKind::InvalidArgument)) << bad;
  }
}

TEST(Subnet, Arithmetic) {
  const Subnet net = Subnet::parse("172.17.5.9/16").value();
  EXPECT_EQ(net.str(), "172.17.0.0/16");
  EXPECT_EQ(net.last().str(), "172.17.255.255");
  EXPECT_TRUE(net.contains(Ipv4{0xac11ffff}));
  EXPECT_FALSE(net.contains(Ipv4{0xac120000}));
  EXPECT_TRUE(net.overlaps(Subnet::parse("172.16.0.0/12").value()));
  EXPECT_TRUE(net.overlaps(Subnet::parse("172.17.9.0/24").value()));
  EXPECT_FALSE(net.overlaps(Subnet::parse("172.18.0.0/16").value()));
  EXPECT_TRUE((Subnet{Ipv4{}, 0}.contains(net)));
  EXPECT_EQ((Subnet{Ipv4{0x01020304}, 32}.last()), Ipv4{0x01020304});
  EXPECT_EQ(parse_interface_address("10.0.0.5/8").value().address.str(), "10.0.0.5");
  for (const auto* bad : {"", "10.0.0.0", "10.0.0.0/33", "10.0.0/8", "10.0.0.0/"}) {
    EXPECT_EQ(Subnet::parse(bad).error().message(), std::string{"invalid CIDR address: "} + bad);
  }
}

TEST(Protocol, Names) {
  EXPECT_EQ(parse_protocol("TCP").value(), Protocol::Tcp);
  EXPECT_EQ(name_of(parse_protocol("sctp").value()), "sctp");
  EXPECT_EQ(parse_protocol("icmp").error().message(), "invalid proto: icmp");
}

}  // namespace
}  // namespace net
