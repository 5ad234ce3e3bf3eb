// What a container gets and does not get: networks, volumes, namespaces, limits.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/detail/test_engine.h"

namespace engine {
namespace {

using namespace test;  // NOLINT: the vocabulary of these tests
using spec::api::Labels;
using spec::api::StringList;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

CreateOptions script(const std::string& text, const std::string& name = {}) { return running({"sh", "-c", text}, name); }

TEST(Isolation, BridgeAddressPortsAndEvents) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    auto options = script("ip -4 addr show eth0; grep -w web /etc/hosts; sleep 100", "web");
    options.request.config.hostname = "web";
    options.request.config.exposed_ports = spec::api::NameSet{{"80/tcp", {}}, {"81/tcp", {}}};
    options.request.host_config.network_mode = "default";
    options.request.host_config.port_bindings =
        spec::api::PortMap{{"80/tcp", std::vector<spec::api::PortBinding>{{"127.0.0.1", "18081"}}}};
    const std::string id = create(engine, options);
    ASSERT_TRUE(engine.containers().start(id, ""));
    const auto network = engine.containers().inspect(id, false)->network_settings;
    const std::string address = network.networks.at("bridge").ip_address;
    EXPECT_THAT(address, StartsWith("172.17."));
    EXPECT_EQ(network.ip_address, address);
    EXPECT_EQ(network.ports.at("80/tcp")->at(0).host_port, "18081");
    EXPECT_FALSE(network.ports.at("81/tcp"));
    wait_for_output(engine, id, address + "\tweb");
    EXPECT_THAT(logs_of(engine, id), HasSubstr("inet " + address + "/16"));
    const auto listed = engine.containers().list({.filters = {{"publish", {"18081"}}}}).value();
    ASSERT_EQ(listed.size(), 1U);
    EXPECT_EQ(listed[0].ports.size(), 2U);
    const auto second = engine.containers().create([&] {
      auto same = options;
      same.name = "rival";
      return same;
    }());
    const auto taken = engine.containers().start("rival", "");
    ASSERT_FALSE(taken);
    EXPECT_THAT(taken.error().message(), HasSubstr("Bind for 127.0.0.1:18081 failed: port is already allocated"));
    EXPECT_EQ(engine.containers().inspect("rival", false)->state.exit_code, 128);
    ASSERT_TRUE(engine.containers().kill(id, ""));
    EXPECT_EQ(engine.containers().inspect(id, false)->network_settings.ip_address, "");
    EXPECT_THAT(events_of(engine, {{"container", {id}}}),
                ElementsAre("create", "network connect", "start", "kill", "network disconnect", "die"));
    ASSERT_TRUE(engine.containers().start("rival", "")) << "its port is free now";
    ASSERT_TRUE(engine.containers().remove("rival", {.force = true}));
  });
}

TEST(Isolation, NetworksAreJoinedAndLeftWhileRunning) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    ASSERT_TRUE(engine.networks().create(codec::Json::object({{"Name", "backend"}})));
    auto options = script("sleep 100", "box");
    options.request.host_config.network_mode = "bridge";
    create(engine, options);
    ASSERT_TRUE(engine.containers().start("box", ""));
    ASSERT_TRUE(engine.networks().connect("backend", codec::Json::object({{"Container", "box"}})));
    EXPECT_EQ(engine.networks().connect("backend", codec::Json::object({{"Container", "box"}})).error().message(),
              "endpoint with name box already exists in network backend");
    const auto networks = engine.containers().inspect("box", false)->network_settings.networks;
    EXPECT_THAT(networks.at("backend").ip_address, StartsWith("172.18."));
    EXPECT_TRUE(engine.networks().remove("backend").failed_as(base::ErrorKind::PermissionDenied)) << "it is in use";
    ASSERT_TRUE(engine.networks().disconnect("backend", "box", false));
    EXPECT_EQ(engine.containers().inspect("box", false)->network_settings.networks.count("backend"), 0U);
    ASSERT_TRUE(engine.networks().remove("backend"));
    auto absent = script("true", "absent");
    absent.request.host_config.network_mode = "backend";
    create(engine, absent);
    EXPECT_EQ(engine.containers().start("absent", "").error().message(), "network backend not found");
    ASSERT_TRUE(engine.containers().remove("box", {.force = true}));
  });
}

TEST(Isolation, NamespacesAreShared) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    auto first = script("echo shared > /dev/shm/note; echo up; sleep 100", "first");
    first.request.host_config.network_mode = "bridge";
    first.request.host_config.ipc_mode = "shareable";
    first.request.config.hostname = "first";
    create(engine, first);
    auto second = script("cat /dev/shm/note; cat /etc/hostname; ps | grep -c 'sleep 100'; ip addr show eth0 | grep -c inet", "second");
    second.request.host_config.network_mode = "container:first";
    second.request.host_config.pid_mode = "container:first";
    second.request.host_config.ipc_mode = "container:first";
    create(engine, second);
    EXPECT_THAT(engine.containers().start("second", "").error().message(),
                HasSubstr("cannot join network namespace of a non running container"));
    ASSERT_TRUE(engine.containers().start("first", ""));
    wait_for_output(engine, "first", "up");
    const auto joined = engine.containers().start("second", "");
    ASSERT_TRUE(joined) << joined.error().message();
    wait(engine, "second");
    EXPECT_THAT(logs_of(engine, "second"), testing::MatchesRegex("shared\nfirst\n[1-9]\n[1-9]\n"));
    ASSERT_TRUE(engine.containers().remove("first", {.force = true}));
    EXPECT_THAT(sys::list_dir(sys::kCwd, host.options.exec_root + "/shm").value(), IsEmpty());
  });
}

TEST(Isolation, Volumes) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    ASSERT_TRUE(sys::make_dirs(sys::kCwd, host.root() + "/bound", 0755));
    auto options = script("cat /data/from-image; echo kept > /data/new; echo x > /bound/y; touch /ro/z || echo refused; "
                          "mount | grep -c ' /scratch '; stat -c %a /scratch");
    options.request.host_config.binds =
        StringList{"named:/data", host.root() + "/bound:/bound", host.root() + "/made:/ro:ro"};
    options.request.host_config.tmpfs = Labels{{"/scratch", "size=1m,mode=0700"}};
    EXPECT_THAT(run(engine, options).output, HasSubstr("hello\n"));
    EXPECT_THAT(run(engine, options).output, HasSubstr("refused\n1\n700\n"));
    EXPECT_EQ(sys::read_file(sys::kCwd, host.root() + "/bound/y").value(), "x\n");
    EXPECT_TRUE(sys::exists(sys::kCwd, host.root() + "/made").value()) << "-v makes what is missing";
    EXPECT_EQ(run(engine, [] {
                auto again = script("cat /data/new");
                again.request.host_config.binds = StringList{"named:/data:ro"};
                return again;
              }()).output,
              "kept\n");
    auto holder = script("true", "holder");
    holder.request.host_config.binds = StringList{"named:/data"};
    create(engine, holder);
    EXPECT_THAT(engine.volumes().remove("named", false).error().message(), StartsWith("remove named: volume is in use - ["));
    auto heir = script("cat /data/new");
    heir.request.host_config.volumes_from = StringList{"holder"};
    EXPECT_EQ(run(engine, heir).output, "kept\n");
    ASSERT_TRUE(engine.containers().remove("holder", {.volumes = true}));
    ASSERT_TRUE(engine.volumes().remove("named", false)) << "-v takes anonymous volumes only";
  });
}

TEST(Isolation, DefaultsAreDockers) {
  on_fresh_host([](Host& host) {
    host.load_image();
    const Outcome outcome = run(host.engine(), script(
        "grep -E 'Cap(Bnd|Eff|Inh)|Seccomp:|NoNewPrivs' /proc/self/status; cat /proc/kcore | wc -c; "
        "echo 1 > /proc/sys/kernel/domainname || echo readonly; mount -t tmpfs x /tmp || echo nomount; ls /dev | wc -l; "
        "hostname; echo pid $$; stat -c %t:%T /dev/null"));
    EXPECT_THAT(outcome.output, HasSubstr("CapBnd:\t00000000a80425fb"));
    EXPECT_THAT(outcome.output, HasSubstr("CapEff:\t00000000a80425fb"));
    EXPECT_THAT(outcome.output, HasSubstr("CapInh:\t0000000000000000"));
    EXPECT_THAT(outcome.output, HasSubstr("Seccomp:\t2"));
    EXPECT_THAT(outcome.output, HasSubstr("readonly\n"));
    EXPECT_THAT(outcome.output, HasSubstr("nomount\n"));
    EXPECT_THAT(outcome.output, HasSubstr("pid 1\n"));
    EXPECT_THAT(outcome.output, HasSubstr("1:3\n"));
    auto nnp = script("grep NoNewPrivs /proc/self/status; touch /x || echo readonly");
    nnp.request.host_config.security_opt = StringList{"no-new-privileges"};
    nnp.request.host_config.readonly_rootfs = true;
    const std::string restricted = run(host.engine(), nnp).output;
    EXPECT_THAT(restricted, HasSubstr("NoNewPrivs:\t1\n"));
    EXPECT_THAT(restricted, HasSubstr("Read-only file system\n"));
  });
}

TEST(Isolation, LimitsReachTheKernel) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    auto options = script("cat /sys/fs/cgroup/memory/memory.limit_in_bytes || cat /sys/fs/cgroup/memory.max; "
                          "cat /sys/fs/cgroup/pids/pids.max || cat /sys/fs/cgroup/pids.max; ulimit -n; ulimit -c");
    options.request.host_config.resources.memory = 64 << 20;
    options.request.host_config.resources.pids_limit = 77;
    options.request.host_config.resources.ulimits = std::vector<spec::api::Ulimit>{{"nofile", 99, 99}, {"core", 0, 0}};
    EXPECT_THAT(run(engine, options).output, HasSubstr("67108864\n77\n99\n0\n"));
    auto hungry = script("x=a; while :; do x=$x$x$x$x; done");
    hungry.request.host_config.resources.memory = 16 << 20;
    const std::string id = create(engine, hungry);
    ASSERT_TRUE(engine.containers().start(id, ""));
    EXPECT_EQ(wait(engine, id), 137);
    EXPECT_TRUE(engine.containers().inspect(id, false)->state.oom_killed);
    EXPECT_THAT(events_of(engine, {{"container", {id}}}), Contains("oom"));
  });
}

TEST(Isolation, LogsAreFollowedToTheEnd) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    const std::string id = create(engine, script("i=0; while [ $i -lt 200 ]; do echo line $i; i=$((i+1)); done; sleep 0.2; echo end"));
    ASSERT_TRUE(engine.containers().start(id, ""));
    auto reader = engine.containers().logs(id, {.out = true, .follow = true}).value();
    std::string last;
    LogEntry entry;
    int lines = 0;
    while (reader->next(entry, {}).value_or(false)) {
      ++lines;
      last = entry.line;
    }
    EXPECT_EQ(lines, 201);
    EXPECT_EQ(last, "end\n");
    EXPECT_EQ(engine.containers().logs(id, {}).error().message(), "You must choose at least one stream");
    auto tail = engine.containers().logs(id, {.out = true, .tail = 2}).value();
    ASSERT_TRUE(tail->next(entry, {}).value());
    EXPECT_EQ(entry.line, "line 199\n");
  });
}

TEST(Isolation, ATerminalHasASize) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    auto options = script("stty size; cat; stty size");
    options.request.config.tty = true;
    options.request.config.open_stdin = true;
    options.request.host_config.console_size = {33, 77};
    const std::string id = create(engine, options);
    auto ticket = engine.containers().attach(id, {.stream = true, .in = true, .out = true, .err = true}).value();
    EXPECT_TRUE(ticket->tty());
    auto pair = sys::make_socket_pair(SOCK_STREAM).value();
    ASSERT_TRUE(ticket->connect(std::move(pair.second), ""));
    EXPECT_TRUE(engine.containers().resize(id, 5, 6).failed_as(base::ErrorKind::Conflict));
    ASSERT_TRUE(engine.containers().start(id, ""));
    wait_for_output(engine, id, "33 77");
    ASSERT_TRUE(engine.containers().resize(id, 40, 100));
    ASSERT_TRUE(sys::write_all(pair.first.get(), "\4"));
    wait_for_output(engine, id, "40 100");
    EXPECT_EQ(wait(engine, id), 0);
    EXPECT_THAT(events_of(engine, {{"event", {"resize"}}}, "height"), ElementsAre("resize=40"));
  });
}

TEST(Isolation, ImagesInUseAreKept) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    create(engine, script("true", "user"));
    EXPECT_TRUE(engine.images().remove("busybox", false, false).failed_as(base::ErrorKind::Conflict));
    ASSERT_TRUE(engine.containers().remove("user", {}));
    ASSERT_TRUE(engine.images().remove("busybox", false, false));
    EXPECT_EQ(engine.system().info()->images, 0);
  });
}

}  // namespace
}  // namespace engine
