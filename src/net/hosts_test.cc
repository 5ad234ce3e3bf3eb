#include "base/strings.h"
#include "net/hosts.h"

#include <gtest/gtest.h>

namespace net {
namespace {

constexpr std::string_view kLoopback =
    "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::\tip6-localnet\n"
    "ff00::\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n";

TEST(Hosts, LoopbackThenExtraThenOwn) {
  EXPECT_EQ(hosts_text({.hostname = "box", .addresses = {"172.17.0.2"}, .extra = {{"db", "10.0.0.1"}}}),
            std::string{kLoopback} + "10.0.0.1\tdb\n172.17.0.2\tbox\n");
  EXPECT_EQ(hosts_text({.hostname = "box", .domain = "lan", .addresses = {"172.17.0.2"}}),
            std::string{kLoopback} + "172.17.0.2\tbox.lan box\n");
  EXPECT_EQ(hosts_text({.hostname = "box"}), kLoopback);
  EXPECT_EQ(hostname_text("box"), "box\n");
}

TEST(Hosts, ExtraHostForms) {
  const auto parse = [](std::string_view text) { return parse_extra_host(text, "172.17.0.1"); };
  EXPECT_EQ(parse("db:10.0.0.1").value(), (ExtraHost{"db", "10.0.0.1"}));
  EXPECT_EQ(parse("db=10.0.0.1").value(), (ExtraHost{"db", "10.0.0.1"}));
  EXPECT_EQ(parse("db:::1").value(), (ExtraHost{"db", "::1"}));
  EXPECT_EQ(parse("db=[fd00::1]").value(), (ExtraHost{"db", "fd00::1"}));
  EXPECT_EQ(parse("up:host-gateway").value(), (ExtraHost{"up", "172.17.0.1"}));
  EXPECT_EQ(parse("db").error().message(), "bad format for add-host: \"db\"");
  EXPECT_EQ(parse(":10.0.0.1").error().message(), "bad format for add-host: \":10.0.0.1\"");
  EXPECT_EQ(parse("db:10.0.0.1000").error().message(), "invalid IP address in add-host: \"10.0.0.1000\"");
  EXPECT_EQ(parse("db:").error().message(), "invalid IP address in add-host: \"\"");
  EXPECT_TRUE(parse_extra_host("up:host-gateway", "").failed_as(base::ErrorKind::InvalidArgument));
}

TEST(Resolv, CopiesTheHostsFileWithoutLoopbackServers) {
  EXPECT_EQ(
      resolv_text("# made by x\nnameserver 127.0.0.1\nnameserver 192.0.2.53\nsearch a.example b.example\n"
                  "options ndots:2\noptions edns0\nsortlist 10.0.0.0\n",
                  {}),
      "nameserver 192.0.2.53\nsearch a.example b.example\noptions ndots:2 edns0\nsortlist 10.0.0.0\n");
}

TEST(Resolv, PublicServersWhenNoneIsLeft) {
  EXPECT_EQ(resolv_text("nameserver 127.0.0.53\n", {}), "nameserver 8.8.8.8\nnameserver 8.8.4.4\n");
  EXPECT_EQ(resolv_text("", {}), "nameserver 8.8.8.8\nnameserver 8.8.4.4\n");
  EXPECT_EQ(resolv_text("nameserver fe80::1%eth0\n", {}), "nameserver 8.8.8.8\nnameserver 8.8.4.4\n")
      << "a container has no IPv6 to ask it with";
  EXPECT_EQ(resolv_text("nameserver 127.0.0.53\n", {}, true), "nameserver 127.0.0.53\n");
}

TEST(Resolv, OptionsReplaceTheHosts) {
  const std::string host = "nameserver 192.0.2.53\nsearch a.example\noptions ndots:2\n";
  EXPECT_EQ(resolv_text(host, {.nameservers = {"127.0.0.1"}}),
            "nameserver 127.0.0.1\nsearch a.example\noptions ndots:2\n")
      << "what the user asks for is not second-guessed";
  EXPECT_EQ(resolv_text(host, {.search = {"x", "y"}, .options = {"rotate", "timeout:1"}}),
            "nameserver 192.0.2.53\nsearch x y\noptions rotate timeout:1\n");
  EXPECT_EQ(resolv_text(host, {.search = {"."}}), "nameserver 192.0.2.53\noptions ndots:2\n");
}

TEST(Resolv, BehindSystemdResolvedTheRealServersAreElsewhere) {
  EXPECT_EQ(host_resolv_path("nameserver 127.0.0.53\noptions edns0\n"), "/run/systemd/resolve/resolv.conf");
  EXPECT_EQ(host_resolv_path("nameserver 127.0.0.53\nnameserver 192.0.2.53\n"), "/etc/resolv.conf");
  EXPECT_EQ(host_resolv_path(""), "/etc/resolv.conf");
}

TEST(Hosts, NeighboursAreABlockOfTheirOwn) {
  const std::string own = hosts_text({.hostname = "box", .addresses = {"10.0.0.2"}});
  EXPECT_EQ(with_neighbours(own, {}), own);
  const std::string one = with_neighbours(own, {{"10.0.0.3", {"db", "cache"}}});
  EXPECT_TRUE(one.starts_with(own));
  EXPECT_NE(one.find("\n10.0.0.3\tdb cache\n"), std::string::npos);
  // What the container wrote around it stays.
  const std::string edited = "# mine\n" + one + "10.9.9.9\tafter";
  const std::string two = with_neighbours(edited, {{"10.0.0.4", {"db"}}});
  EXPECT_TRUE(two.starts_with("# mine\n" + own));
  EXPECT_TRUE(two.ends_with("\n10.9.9.9\tafter"));
  EXPECT_EQ(two.find("10.0.0.3"), std::string::npos);
  EXPECT_EQ(with_neighbours(two, {}), "# mine\n" + own + "10.9.9.9\tafter");
  // Without a newline at its end, and with a block that has lost its end.
  EXPECT_NE(with_neighbours("1.2.3.4 x", {{"10.0.0.3", {"db"}}}).find("1.2.3.4 x\n#"), std::string::npos);
  const std::string torn = one.substr(0, one.find("10.0.0.3")) + "7.7.7.7 kept\n";
  EXPECT_EQ(with_neighbours(torn, {}), own + "7.7.7.7 kept\n");
}

TEST(Hosts, NeighboursWithManyNamesTakeSeveralLines) {
  std::vector<std::string> names;
  for (int i = 0; i < 100; ++i) names.push_back("alias-number-" + std::to_string(i));
  const std::string text = with_neighbours("", {{"10.0.0.3", names}});
  std::size_t longest = 0, found = 0;
  for (const auto line : base::split(text, '\n')) {
    longest = std::max(longest, line.size());
    if (line.starts_with("10.0.0.3\t")) found += base::split_words(line.substr(9), ' ').size();
  }
  EXPECT_LT(longest, 511U);
  EXPECT_EQ(found, names.size());
}

}  // namespace
}  // namespace net
