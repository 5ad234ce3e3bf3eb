// `update` beyond docker: ports, labels, environment and mounts.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/detail/test_engine.h"
#include "sys/crash_point.h"

namespace engine {
namespace {

using namespace test;  // NOLINT: the vocabulary of these tests
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

using spec::api::StringList;

spec::api::UpdateRequest changing(spec::api::ConfigChanges changes) { return {.changes = std::move(changes)}; }

spec::api::PortMap ports(std::initializer_list<std::pair<const char*, const char*>> list) {
  spec::api::PortMap map;
  for (const auto& [port, host] : list) {
    auto& bindings = map[port];
    if (!bindings) bindings.emplace();
    bindings->push_back({.host_ip = "127.0.0.1", .host_port = host});
  }
  return map;
}

std::string error_of(const auto& result) { return result ? std::string{"(no error)"} : result.error().message(); }

/// A connection through the host's published port, as the kernel translates it.
bool answers(unsigned port) {
  const std::string command = "/usr/bin/busybox nc -w 1 127.0.0.1 " + std::to_string(port) + " </dev/null >/dev/null 2>&1";
  return std::system(command.c_str()) == 0;  // NOLINT(cert-env33-c): a client
}

/// The server inside serves one connection after the other.
bool reachable(unsigned port) {
  for (int i = 0; i < 200; ++i) {
    if (answers(port)) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
  }
  return false;
}

TEST(ConfigChanges, PortsOfARunningContainer) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    auto options = running({"sh", "-c", "while :; do echo hello | nc -l -p 80; done"}, "box");
    options.request.host_config.network_mode = "bridge";
    options.request.host_config.port_bindings = ports({{"80/tcp", "8080"}});
    const std::string id = create(engine, options);
    ASSERT_TRUE(engine.containers().start(id, ""));
    const auto published = [&] { return engine.containers().inspect(id, false)->network_settings.ports; };

    const auto added = engine.containers().update(id, changing({.publish_add = ports({{"80/tcp", "8081"}})}));
    ASSERT_TRUE(added) << added.error().message();
    EXPECT_THAT(*added, IsEmpty());
    EXPECT_EQ(published().at("80/tcp")->size(), 2U);
    EXPECT_TRUE(reachable(8081));
    EXPECT_TRUE(reachable(8080));

    // A port that somebody has: nothing changes, and the wish that could be met is not met either.
    auto other = running({"sleep", "100"}, "other");
    other.request.host_config.network_mode = "bridge";
    other.request.host_config.port_bindings = ports({{"90/tcp", "9090"}});
    create(engine, other);
    ASSERT_TRUE(engine.containers().start("other", ""));
    const auto taken = engine.containers().update(id, changing({.publish_add = ports({{"81/tcp", "8181"}, {"90/tcp", "9090"}})}));
    EXPECT_THAT(error_of(taken), HasSubstr("port is already allocated"));
    EXPECT_EQ(published().size(), 1U);
    EXPECT_EQ(engine.containers().inspect(id, false)->host_config.port_bindings->size(), 1U);

    ASSERT_TRUE(engine.containers().update(id, changing({.publish_remove = StringList{"80"}})));
    EXPECT_FALSE(answers(8080));
    EXPECT_FALSE(answers(8081));
    // The port is free for others, and the next daemon knows.
    host.close();
    host.open();
    Engine& next = host.engine();
    ASSERT_TRUE(next.containers().update("other", changing({.publish_add = ports({{"90/tcp", "8081"}})})));
    EXPECT_FALSE(next.containers().inspect(id, false)->host_config.port_bindings->contains("80/tcp"));
    EXPECT_THAT(error_of(next.containers().update(id, changing({.publish_remove = StringList{"80"}}))),
                HasSubstr("No public port '80/tcp' published for box"));
  });
}

TEST(ConfigChanges, AFailureOnTheWayLeavesThePortsAsTheyWere) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    auto options = running({"sleep", "100"}, "box");
    options.request.host_config.network_mode = "bridge";
    options.request.host_config.port_bindings = ports({{"80/tcp", "8080"}});
    create(engine, options);
    ASSERT_TRUE(engine.containers().start("box", ""));
    ::setenv("CAISSON_FAULT", "net.ports.rules:EIO", 1);
    EXPECT_FALSE(engine.containers().update("box", changing({.publish_add = ports({{"81/tcp", "8181"}})})));
    ::unsetenv("CAISSON_FAULT");
    const auto after = engine.containers().inspect("box", false).value();
    EXPECT_EQ(after.network_settings.ports.size(), 1U);
    EXPECT_EQ(after.host_config.port_bindings->size(), 1U);
    // Port 8181 was let go.
    ASSERT_TRUE(engine.containers().update("box", changing({.publish_add = ports({{"81/tcp", "8181"}})})));
  });
}

TEST(ConfigChanges, LabelsAtOnceEnvironmentAndMountsWithTheNextStart) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    auto options = running({"sh", "-c", "echo $OLD-$NEW; cat /mnt/file; touch /v/x && echo written; exec sleep 100"}, "box");
    options.request.config.env = StringList{"OLD=1"};
    options.request.config.labels = spec::api::Labels{{"tier", "a"}, {"gone", ""}};
    create(engine, options);
    ASSERT_TRUE(engine.containers().start("box", ""));
    ASSERT_TRUE(sys::make_dirs(sys::kCwd, host.root() + "/source", 0755));
    ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, host.root() + "/source/file", "from-host\n"));
    std::vector<spec::api::Mount> mounts{{.type = "bind", .source = host.root() + "/source", .target = "/mnt"},
                                         {.type = "volume", .source = "data", .target = "/v"}};
    const auto changed = engine.containers().update(
        "box", changing({.label_add = spec::api::Labels{{"tier", "b"}}, .label_remove = StringList{"gone"},
                         .env_add = StringList{"NEW=2"}, .env_remove = StringList{"OLD"}, .mount_add = mounts}));
    ASSERT_TRUE(changed) << changed.error().message();
    EXPECT_THAT(*changed, ElementsAre("The environment of container box changes with its next start.",
                                      "The mounts of container box change with its next start."));
    const auto now = engine.containers().inspect("box", false).value();
    EXPECT_EQ(now.config.labels.value(), (spec::api::Labels{{"tier", "b"}}));
    EXPECT_EQ(now.mounts.size(), 2U);
    EXPECT_TRUE(engine.volumes().inspect("data"));
    host.close();
    host.open();
    ASSERT_TRUE(host.engine().containers().restart("box", {.timeout = std::chrono::seconds{0}}));
    wait_for_output(host.engine(), "box", "-2\nfrom-host\nwritten\n");
    // A volume that a container will use is not pruned meanwhile, and goes when the mount has gone.
    ASSERT_TRUE(host.engine().containers().update("box", changing({.mount_remove = StringList{"/mnt/", "/v"}})));
    EXPECT_THAT(host.engine().containers().inspect("box", false)->mounts, IsEmpty());
    EXPECT_TRUE(host.engine().volumes().remove("data", false));
  });
}

TEST(ConfigChanges, WrongOnesChangeNothing) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    auto options = running({"true"}, "box");
    options.request.host_config.binds = StringList{"/tmp:/t"};
    create(engine, options);
    const auto refused = [&](const spec::api::ConfigChanges& changes, base::ErrorKind kind, const char* message) {
      // Together with one that is right.
      auto both = changes;
      if (!both.label_add) both.label_add = spec::api::Labels{{"mark", "1"}};
      const auto done = engine.containers().update("box", changing(both));
      EXPECT_EQ(error_of(done), message);
      ASSERT_FALSE(done);
      EXPECT_EQ(done.error().kind(), kind) << message;
    };
    using enum base::ErrorKind;
    refused({.publish_add = ports({{"80", "80"}})}, InvalidArgument, "conflicting options: port publishing and the network mode none");
    refused({.label_add = spec::api::Labels{{"", "x"}}}, InvalidArgument, "invalid label '=x': empty name");
    refused({.label_remove = StringList{"nope"}}, NotFound, "no label \"nope\" on box");
    refused({.env_add = StringList{"=x"}}, InvalidArgument, "invalid environment variable: =x");
    refused({.env_add = StringList{"BARE"}}, InvalidArgument, "invalid environment variable: BARE");
    refused({.env_remove = StringList{"NOPE"}}, NotFound, "no variable \"NOPE\" in the environment of box");
    refused({.mount_remove = StringList{"/nope"}}, NotFound, "no mount at /nope in box");
    const auto mount = [](spec::api::Mount one) { return spec::api::ConfigChanges{.mount_add = std::vector{std::move(one)}}; };
    refused(mount({.type = "bind", .source = "/nowhere", .target = "/m"}), InvalidArgument,
            "invalid mount config for type \"bind\": bind source path does not exist: /nowhere");
    refused(mount({.type = "volume", .target = "/m"}), InvalidArgument,
            "invalid mount config for type \"volume\": a volume for a container that exists needs a name");
    refused(mount({.type = "tmpfs", .target = "/t"}), InvalidArgument, "Duplicate mount point: /t");
    refused(mount({.type = "floppy", .target = "/f"}), InvalidArgument, "invalid mount config for type \"floppy\": mount type unknown");
    EXPECT_FALSE(engine.containers().inspect("box", false)->config.labels.value_or(spec::api::Labels{}).contains("mark"));
  });
}

}  // namespace
}  // namespace engine
