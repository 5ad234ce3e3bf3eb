// How containers find each other: names in hosts files, --link and its variables.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/containers/links.h"
#include "engine/detail/test_engine.h"

namespace engine {
namespace {

using namespace test;  // NOLINT: the vocabulary of these tests
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

CreateOptions in_network(const std::string& network, const std::string& name, std::vector<std::string> aliases = {},
                         std::vector<std::string> command = {"sleep", "1000"}) {
  CreateOptions options = running(std::move(command), name);
  options.request.host_config.network_mode = network;
  if (!aliases.empty()) {
    options.request.networking_config.endpoints_config[network] = spec::api::EndpointSettings{.aliases = aliases};
  }
  return options;
}

std::string started(Engine& engine, const CreateOptions& options) {
  const std::string id = create(engine, options);
  const auto done = engine.containers().start(id, "");
  EXPECT_TRUE(done) << done.error().message();
  return id;
}

void make_network(Engine& engine, const char* name) {
  const auto made = engine.networks().create(codec::Json::object({{"Name", name}}));
  ASSERT_TRUE(made) << made.error().message();
}

std::string address_of(Engine& engine, const std::string& ref, const std::string& network) {
  return engine.containers().inspect(ref, false)->network_settings.networks.at(network).ip_address;
}

/// The hosts file as the host has it: the same inode is mounted in the container.
std::string hosts_of(const Host& host, const std::string& id) {
  return sys::read_file(sys::kCwd, host.options.exec_root + "/names/" + id + "/hosts").value();
}

/// The names that stand with an address.
std::vector<std::string> names_at(const std::string& hosts, const std::string& address) {
  std::vector<std::string> names;
  for (const auto line : base::split(hosts, '\n')) {
    if (!line.starts_with(address + "\t")) continue;
    for (const auto name : base::split_words(line.substr(address.size() + 1))) names.emplace_back(name);
  }
  return names;
}

TEST(Links, ALinkIsParsedAsDockerDoes) {
  EXPECT_EQ(parse_link("db:alias")->alias, "alias");
  EXPECT_EQ(parse_link("db")->alias, "db");
  const Link shown = parse_link("/db:/web/alias").value();
  EXPECT_EQ(shown.target + " " + shown.alias, "db alias");
  for (const auto& [text, message] : std::initializer_list<std::pair<const char*, const char*>>{
           {"", "empty string specified for links"},
           {"a:b:c", "bad format for links: a:b:c"},
           {"a:", "bad format for links: a:"},
           {":b", "bad format for links: :b"}}) {
    const auto link = parse_link(text);
    ASSERT_TRUE(link.failed_as(base::ErrorKind::InvalidArgument)) << text;
    EXPECT_EQ(link.error().message(), message);
  }
}

TEST(Links, VariablesOfALink) {
  EXPECT_THAT(variables_of_link("web", "my-db", "172.17.0.5", {"5432/tcp", "53/udp", "53/tcp"},
                                {"PATH=/bin", "HOME=/root", "MODE=x=y", "BARE"}),
              ElementsAre("MY_DB_PORT=tcp://172.17.0.5:53", "MY_DB_PORT_53_TCP=tcp://172.17.0.5:53",
                          "MY_DB_PORT_53_TCP_ADDR=172.17.0.5", "MY_DB_PORT_53_TCP_PORT=53",
                          "MY_DB_PORT_53_TCP_PROTO=tcp", "MY_DB_PORT_53_UDP=udp://172.17.0.5:53",
                          "MY_DB_PORT_53_UDP_ADDR=172.17.0.5", "MY_DB_PORT_53_UDP_PORT=53",
                          "MY_DB_PORT_53_UDP_PROTO=udp", "MY_DB_PORT_5432_TCP=tcp://172.17.0.5:5432",
                          "MY_DB_PORT_5432_TCP_ADDR=172.17.0.5", "MY_DB_PORT_5432_TCP_PORT=5432",
                          "MY_DB_PORT_5432_TCP_PROTO=tcp", "MY_DB_NAME=/web/my-db", "MY_DB_ENV_MODE=x=y"));
  EXPECT_THAT(variables_of_link("web", "db", "1.1.1.1", {}, {}), ElementsAre("DB_NAME=/web/db"));
  const auto range = variables_of_link("web", "db", "1.1.1.1", {"81/tcp", "80/tcp", "82/tcp", "90/tcp"}, {});
  EXPECT_THAT(range, Contains("DB_PORT_80_TCP_START=tcp://1.1.1.1:80"));
  EXPECT_THAT(range, Contains("DB_PORT_80_TCP_PORT_START=80"));
  EXPECT_THAT(range, Contains("DB_PORT_80_TCP_END=tcp://1.1.1.1:82"));
  EXPECT_THAT(range, Contains("DB_PORT_80_TCP_PORT_END=82"));
}

TEST(Links, ContainersOfAUserNetworkFindEachOther) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    make_network(engine, "mine");
    const std::string a = started(engine, in_network("mine", "aa", {"first"}));
    const std::string b = started(engine, in_network("mine", "bb", {"second", "both"}));
    const std::string at_a = address_of(engine, "aa", "mine"), at_b = address_of(engine, "bb", "mine");
    const std::string id = b.substr(0, 12);
    EXPECT_THAT(names_at(hosts_of(host, a), at_b),
                ElementsAre("bb", "second", "both", id, "bb.mine", "second.mine", "both.mine"));
    EXPECT_THAT(names_at(hosts_of(host, b), at_a), Contains("first"));
    // What a container wrote into the file itself stays through all that follows.
    const auto file = sys::open_at(sys::kCwd, host.options.exec_root + "/names/" + a + "/hosts", O_WRONLY | O_APPEND).value();
    ASSERT_TRUE(sys::write_all(file.get(), "9.9.9.9\tmine-alone\n"));
    const auto before = sys::stat_at(sys::kCwd, host.options.exec_root + "/names/" + a + "/hosts").value();

    ASSERT_TRUE(engine.containers().rename("bb", "renamed"));
    EXPECT_THAT(names_at(hosts_of(host, a), at_b), Contains("renamed"));
    EXPECT_THAT(names_at(hosts_of(host, a), at_b), Not(Contains("bb")));
    EXPECT_THAT(engine.containers().inspect("renamed", false)->network_settings.networks.at("mine").dns_names.value(),
                ElementsAre("renamed", "second", "both", id));

    EXPECT_EQ(engine.networks().inspect("mine", false).value()["Containers"][b]["Name"].as_string(), "renamed");

    ASSERT_TRUE(engine.containers().stop("renamed", {.timeout = std::chrono::seconds{0}}));
    EXPECT_THAT(names_at(hosts_of(host, a), at_b), ElementsAre());
    const std::string c = started(engine, in_network("mine", "cc"));  // takes the address
    ASSERT_TRUE(engine.containers().start("renamed", ""));
    EXPECT_THAT(names_at(hosts_of(host, a), address_of(engine, "renamed", "mine")), Contains("renamed"));
    EXPECT_THAT(names_at(hosts_of(host, a), address_of(engine, "cc", "mine")), Contains("cc"));

    EXPECT_THAT(hosts_of(host, a), HasSubstr("9.9.9.9\tmine-alone\n"));
    EXPECT_EQ(sys::stat_at(sys::kCwd, host.options.exec_root + "/names/" + a + "/hosts")->st_ino, before.st_ino);
  });
}

TEST(Links, JoiningAndLeavingWhileRunning) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    make_network(engine, "one");
    make_network(engine, "two");
    const std::string a = started(engine, in_network("one", "aa"));
    const std::string b = started(engine, in_network("two", "bb"));
    const auto settings = codec::Json::object({{"Aliases", codec::Json::array({"extra"})},
                                               {"Links", codec::Json::array({"bb:bee"})}});
    ASSERT_TRUE(engine.networks().connect("two", codec::Json::object({{"Container", "aa"}, {"EndpointConfig", settings}})));
    EXPECT_THAT(names_at(hosts_of(host, b), address_of(engine, "aa", "two")), Contains("extra"));
    EXPECT_THAT(names_at(hosts_of(host, a), address_of(engine, "bb", "two")), Contains("bee"));
    EXPECT_THAT(names_at(hosts_of(host, b), address_of(engine, "bb", "two")), Not(Contains("bee")));
    const std::string left = address_of(engine, "aa", "two");
    ASSERT_TRUE(engine.networks().disconnect("two", "aa", false));
    EXPECT_THAT(names_at(hosts_of(host, b), left), ElementsAre());
    EXPECT_THAT(hosts_of(host, a), Not(HasSubstr("bee")));
  });
}

TEST(Links, TheNextDaemonFindsTheNamesAgain) {
  on_fresh_host([](Host& host) {
    host.load_image();
    make_network(host.engine(), "mine");
    const std::string a = started(host.engine(), in_network("mine", "aa"));
    const std::string b = started(host.engine(), in_network("mine", "bb", {}, {"sh", "-c", "sleep 0.3"}));
    const std::string at_b = address_of(host.engine(), "bb", "mine");
    host.close();
    EXPECT_THAT(names_at(hosts_of(host, a), at_b), Contains("bb"));
    host.open();
    wait(host.engine(), b);
    EXPECT_THAT(names_at(hosts_of(host, a), at_b), ElementsAre());
  });
}

TEST(Links, LegacyLinksGiveNamesAndVariables) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    auto db = in_network("bridge", "db");
    db.request.config.exposed_ports = spec::api::NameSet{{"5432/tcp", {}}};
    db.request.config.env = std::vector<std::string>{"MODE=test"};
    const std::string db_id = started(engine, db);
    auto web = in_network("bridge", "web", {}, {"sh", "-c", "env; exec sleep 1000"});
    web.request.host_config.links = std::vector<std::string>{"db:store"};
    const std::string id = started(engine, web);
    const std::string at = address_of(engine, "db", "bridge");
    wait_for_output(engine, id, "STORE_ENV_MODE=test");
    const std::string output = logs_of(engine, id);
    EXPECT_THAT(output, HasSubstr("STORE_PORT=tcp://" + at + ":5432\n"));
    EXPECT_THAT(output, HasSubstr("STORE_NAME=/web/store\n"));
    EXPECT_THAT(names_at(hosts_of(host, id), at), ElementsAre("store", db_id.substr(0, 12), "db"));
    // It goes one way only.
    EXPECT_THAT(names_at(hosts_of(host, db_id), address_of(engine, "web", "bridge")), ElementsAre());

    const auto listed = engine.containers().list({.all = true, .filters = {{"id", {db_id}}}}).value();
    EXPECT_THAT(listed.at(0).names, ElementsAre("/db", "/web/store"));

    // A link follows its container: another name, another address.
    ASSERT_TRUE(engine.containers().rename("db", "store2"));
    EXPECT_THAT(names_at(hosts_of(host, id), at), ElementsAre("store", db_id.substr(0, 12), "store2"));
    EXPECT_THAT(engine.containers().inspect("web", false)->host_config.links.value(), ElementsAre("/store2:/web/store"));
    ASSERT_TRUE(engine.containers().stop("store2", {.timeout = std::chrono::seconds{0}}));
    EXPECT_THAT(names_at(hosts_of(host, id), at), ElementsAre());
    started(engine, in_network("bridge", "thief"));
    ASSERT_TRUE(engine.containers().start("store2", ""));
    EXPECT_THAT(names_at(hosts_of(host, id), address_of(engine, "store2", "bridge")), Contains("store"));

    // A start without the linked one is refused.
    ASSERT_TRUE(engine.containers().stop("store2", {.timeout = std::chrono::seconds{0}}));
    ASSERT_TRUE(engine.containers().stop("web", {.timeout = std::chrono::seconds{0}}));
    EXPECT_EQ(engine.containers().start("web", "").error().message(),
              "Cannot link to a non running container: /store2 AS /web/store");

    // A link can be taken away; the containers stay.
    EXPECT_EQ(engine.containers().remove("web/nope", {.link = true}).error().message(), "No such link: web/nope");
    EXPECT_EQ(engine.containers().remove("nobody/x", {.link = true}).error().message(), "Cannot get parent nobody for link name nobody/x");
    EXPECT_TRUE(engine.containers().remove("web", {.link = true}).failed_as(base::ErrorKind::InvalidArgument));
    ASSERT_TRUE(engine.containers().remove("/web/store", {.link = true}));
    ASSERT_TRUE(engine.containers().start("web", ""));
    host.close();
    host.open();
    EXPECT_THAT(host.engine().containers().inspect("web", false)->host_config.links.value(), ElementsAre());
  });
}

TEST(Links, InterfacesAndTheWayOut) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    for (const char* name : {"one", "two", "three"}) make_network(engine, name);
    auto options = in_network("one", "aa", {}, {"sh", "-c", "ip route; ip link; exec sleep 1000"});
    auto& networks = options.request.networking_config.endpoints_config;
    networks["one"] = spec::api::EndpointSettings{};
    networks["two"] = spec::api::EndpointSettings{
        .driver_opts = spec::api::Labels{{"com.docker.network.endpoint.ifname", "uplink"}}, .gw_priority = 1};
    const std::string id = started(engine, options);
    wait_for_output(engine, id, "uplink");
    const std::string gateway = engine.containers().inspect("aa", false)->network_settings.networks.at("two").gateway;
    EXPECT_THAT(logs_of(engine, id), HasSubstr("default via " + gateway + " dev uplink"));

    // A gap in the numbers of interfaces is no reason not to join.
    const std::string b = started(engine, in_network("one", "bb"));
    const auto join = [&](const char* network) {
      return engine.networks().connect(network, codec::Json::object({{"Container", "bb"}}));
    };
    ASSERT_TRUE(join("two"));
    ASSERT_TRUE(engine.networks().disconnect("one", "bb", false));
    // The way out went with the first network, so the second is it.
    const std::string pid = std::to_string(engine.containers().inspect("bb", false)->state.pid);
    EXPECT_THAT(sys::read_file(sys::kCwd, "/proc/" + pid + "/net/route").value(), HasSubstr("eth1\t00000000\t"));
    const auto joined = join("three");
    EXPECT_TRUE(joined) << joined.error().message();
    const auto refused = engine.networks().connect(
        "one", codec::Json::object({{"Container", "bb"},
                                    {"EndpointConfig", codec::Json::object({{"DriverOpts", codec::Json::object({{"com.docker.network.endpoint.ifname", "a/b"}})}})}}));
    EXPECT_TRUE(refused.failed_as(base::ErrorKind::InvalidArgument));
  });
}

TEST(Links, WrongRequestsMakeNothing) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    make_network(engine, "mine");
    const auto refused = [&](const CreateOptions& options, const char* message) {
      const auto made = engine.containers().create(options);
      ASSERT_FALSE(made) << message;
      EXPECT_TRUE(made.failed_as(base::ErrorKind::InvalidArgument));
      EXPECT_THAT(made.error().message(), StartsWith(message));
    };
    auto options = in_network("bridge", "xx");
    options.request.host_config.links = std::vector<std::string>{"nobody:db"};
    refused(options, "could not get container for nobody: No such container: nobody");
    options.request.host_config.links = std::vector<std::string>{"a:b:c"};
    refused(options, "bad format for links: a:b:c");
    refused(in_network("bridge", "xx", {"alias"}),
            "invalid config for network bridge: invalid endpoint settings:\nnetwork-scoped aliases are only supported for user-defined networks");
    const auto with = [&](const spec::api::EndpointSettings& settings) {
      auto wrong = in_network("mine", "xx");
      wrong.request.networking_config.endpoints_config["mine"] = settings;
      return wrong;
    };
    refused(with({.ipam_config = spec::api::EndpointIpamConfig{.ipv4_address = "9.9.9.9"}}),
            "invalid config for network mine: invalid endpoint settings:\nno configured subnet contains IP address 9.9.9.9");
    refused(with({.ipam_config = spec::api::EndpointIpamConfig{.ipv4_address = "nine"}}),
            "invalid config for network mine: invalid endpoint settings:\ninvalid IPv4 address: nine");
    refused(with({.ipam_config = spec::api::EndpointIpamConfig{.link_local_ips = {"no"}}}),
            "invalid config for network mine: invalid endpoint settings:\ninvalid link-local IP address: no");
    refused(with({.links = std::vector<std::string>{"a:b:c"}}),
            "invalid config for network mine: invalid endpoint settings:\nbad format for links: a:b:c");
    EXPECT_EQ(engine.containers().list({.all = true})->size(), 0U);
  });
}

}  // namespace
}  // namespace engine
