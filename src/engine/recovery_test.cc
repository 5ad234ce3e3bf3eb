// What survives the daemon: containers, their exit codes, their logs. And what a daemon that dies at any
// step leaves behind: nothing that the next one does not put right.

#include <csignal>

#include <poll.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/detail/test_engine.h"
#include "sys/process.h"

namespace engine {
namespace {

using namespace test;  // NOLINT: the vocabulary of these tests
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

/// Waits for the end of a process that is not this one's child.
void wait_gone(const sys::Process& process) {
  struct pollfd entry{.fd = process.pidfd(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(::poll(&entry, 1, 20'000), 1);
}

/// The shim of a container, which leaves when it has written down the end.
sys::Process shim_of(const Host& host, const std::string& id) {
  const auto text = sys::read_file(sys::kCwd, host.options.exec_root + "/containers/" + id + "/shim.pid").value();
  return sys::Process::open(static_cast<pid_t>(base::parse_int(base::trim(text)).value())).value();
}

TEST(Recovery, AContainerRunsOnWithoutADaemon) {
  on_fresh_host([](Host& host) {
    host.load_image();
    const std::string id = create(host.engine(), running({"sh", "-c", "trap 'echo bye; exit 4' TERM; echo up; while :; do sleep 0.05; done"}));
    ASSERT_TRUE(host.engine().containers().start(id, ""));
    const auto before = host.engine().containers().inspect(id, false)->state;
    host.close();
    host.open();
    const auto after = host.engine().containers().inspect(id, false)->state;
    EXPECT_EQ(after.status, "running");
    EXPECT_EQ(after.pid, before.pid);
    EXPECT_EQ(after.started_at, before.started_at);
    EXPECT_EQ(host.engine().containers().top(id, "")->processes.size() >= 1, true);
    wait_for_output(host.engine(), id, "up\n");
    ASSERT_TRUE(host.engine().containers().stop(id, {}));
    EXPECT_EQ(host.engine().containers().inspect(id, false)->state.exit_code, 4);
    EXPECT_EQ(logs_of(host.engine(), id), "up\nbye\n");
  });
}

TEST(Recovery, AnEndThatNoDaemonSawIsReported) {
  on_fresh_host([](Host& host) {
    host.load_image();
    auto kept = running({"sh", "-c", "sleep 0.3; echo late; exit 9"}, "kept");
    auto removed = running({"sh", "-c", "sleep 0.3"}, "removed");
    removed.request.host_config.auto_remove = true;
    auto restarted = running({"sh", "-c", "echo again; test -e /mark && sleep 100; touch /mark; sleep 0.3"}, "restarted");
    restarted.request.host_config.restart_policy = {"always", 0};
    std::vector<sys::Process> shims;
    for (const auto& options : {kept, removed, restarted}) {
      const std::string id = create(host.engine(), options);
      ASSERT_TRUE(host.engine().containers().start(id, ""));
      shims.push_back(shim_of(host, id));
    }
    host.close();
    for (const sys::Process& shim : shims) wait_gone(shim);
    host.open();
    Engine& engine = host.engine();
    EXPECT_EQ(wait(engine, "kept"), 9);
    EXPECT_EQ(engine.containers().inspect("kept", false)->state.status, "exited");
    EXPECT_EQ(logs_of(engine, "kept"), "late\n");
    EXPECT_THAT(events_of(engine, {{"container", {"kept"}}}, "exitCode"), ElementsAre("create", "start", "die=9"))
        << "those of the daemon before as well";
    while (engine.containers().inspect("removed", false)) std::this_thread::yield();
    wait_for_output(engine, "restarted", "again\nagain\n");
    EXPECT_EQ(engine.containers().inspect("restarted", false)->restart_count, 1);
    ASSERT_TRUE(engine.containers().remove("restarted", {.force = true}));
  });
}

TEST(Recovery, AClientsStopHoldsAgainstUnlessStoppedButNotAgainstAlways) {
  on_fresh_host([](Host& host) {
    host.load_image();
    for (const char* policy : {"always", "unless-stopped"}) {
      auto options = running({"sleep", "100"}, policy);
      options.request.host_config.restart_policy = {policy, 0};
      create(host.engine(), options);
      ASSERT_TRUE(host.engine().containers().start(policy, ""));
      ASSERT_TRUE(host.engine().containers().kill(policy, "KILL"));
      EXPECT_EQ(host.engine().containers().inspect(policy, false)->state.status, "exited");
    }
    host.close();
    host.open();
    while (host.engine().containers().inspect("always", false)->state.status != "running") std::this_thread::yield();
    EXPECT_EQ(host.engine().containers().inspect("unless-stopped", false)->state.status, "exited");
    const auto removed = host.engine().containers().remove("always", {.force = true});
    ASSERT_TRUE(removed) << removed.error().message();
  });
}

TEST(Recovery, AKilledShimIsAnExit) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    const std::string id = create(engine, running({"sleep", "100"}));
    ASSERT_TRUE(engine.containers().start(id, ""));
    const auto init = sys::Process::open(static_cast<pid_t>(engine.containers().inspect(id, false)->state.pid)).value();
    ASSERT_TRUE(shim_of(host, id).signal(SIGKILL));
    EXPECT_EQ(wait(engine, id), 137);
    wait_gone(init);
    EXPECT_EQ(engine.containers().inspect(id, false)->state.status, "exited");
    ASSERT_TRUE(engine.containers().start(id, "")) << "and it can be started again";
    ASSERT_TRUE(engine.containers().remove(id, {.force = true}));
  });
}

TEST(Recovery, EventsOutliveTheDaemon) {
  on_fresh_host([](Host& host) {
    host.load_image();
    create(host.engine(), running({"true"}, "box"));
    const base::Time between = base::now();
    host.close();
    host.open();
    ASSERT_TRUE(host.engine().containers().rename("box", "other"));
    host.close();
    host.open();
    EXPECT_THAT(events_of(host.engine(), {{"type", {"container"}}}), ElementsAre("create", "rename"));
    const auto since = host.engine().events().subscribe(between, base::now(), {{"type", {"container"}}}).value();
    spec::api::Event event;
    ASSERT_TRUE(since->next(event, {}));
    EXPECT_EQ(event.action, "rename");
    EXPECT_EQ(event.actor.attributes.at("name"), "other");
    ASSERT_TRUE(host.engine().containers().remove("other", {}));
  });
}

TEST(Recovery, AnExecKeepsItsCommand) {
  on_fresh_host([](Host& host) {
    host.load_image();
    const std::string id = create(host.engine(), running({"sleep", "100"}));
    ASSERT_TRUE(host.engine().containers().start(id, ""));
    spec::api::ExecConfig config;
    config.cmd = {"sh", "-c", "sleep 99"};
    config.user = "www";
    config.env = {"SECRET=1"};
    const std::string exec = host.engine().execs().create(id, config).value();
    ASSERT_TRUE(host.engine().execs().start_detached(exec));
    host.close();
    host.open();
    const auto found = host.engine().execs().inspect(exec).value();
    EXPECT_TRUE(found.running);
    EXPECT_EQ(found.process_config.entrypoint, "sh");
    EXPECT_THAT(found.process_config.arguments, ElementsAre("-c", "sleep 99"));
    EXPECT_EQ(found.process_config.user, "www");
    ASSERT_TRUE(host.engine().containers().remove(id, {.force = true}));
  });
}

TEST(Recovery, TwoDaemonsDontShareADataRoot) {
  on_fresh_host([](Host& host) {
    host.engine();
    EXPECT_TRUE(Engine::open(host.options).failed_as(base::ErrorKind::Conflict));
  });
}

// -- crash points -----------------------------------------------------------------------------------

/// A whole life of two containers, in a process of its own that dies at `point`.
void live_and_die(Host& host, const std::string& point) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    host.open();
    ::setenv("CAISSON_CRASH_AT", point.c_str(), 1);
    Engine& engine = host.engine();
    for (const bool auto_remove : {false, true}) {
      auto options = running({"sh", "-c", "exit 3"});
      options.request.host_config.network_mode = "bridge";
      options.request.host_config.auto_remove = auto_remove;
      options.request.host_config.binds = std::vector<std::string>{"/anonymous"};
      options.request.host_config.port_bindings =
          spec::api::PortMap{{"80/tcp", std::vector<spec::api::PortBinding>{{"", "18080"}}}};
      const auto created = engine.containers().create(options);
      if (!created) ::_exit(1);
      auto wait = engine.containers().wait(created->id, auto_remove ? WaitCondition::Removed : WaitCondition::NextExit);
      if (!engine.containers().start(created->id, "")) ::_exit(2);
      if (!wait || !(*wait)->get({})) ::_exit(3);
      if (!auto_remove && !engine.containers().remove(created->id, {.volumes = true})) ::_exit(4);
    }
    ::_exit(0);  // the point was never reached
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << point << ": wait status " << status;
}

std::vector<std::string> names_in(const std::string& path) {
  std::vector<std::string> names;
  const auto entries = sys::list_dir(sys::kCwd, path).value_or(std::vector<sys::DirEntry>{});
  for (const sys::DirEntry& entry : entries) names.push_back(entry.name);
  return names;
}

class CrashPoints : public testing::TestWithParam<const char*> {};

TEST_P(CrashPoints, TheNextDaemonPutsEverythingRight) {
  on_fresh_host([](Host& host) {
    host.load_image();
    const std::size_t layers = names_in(host.options.data_root + "/snapshots").size();
    host.close();
    live_and_die(host, GetParam());
    host.open();
    Engine& engine = host.engine();
    // Whatever is left is a container in good order: it can be seen, waited for, and removed.
    const auto listed = engine.containers().list({.all = true}).value();
    EXPECT_LE(listed.size(), 1U);
    for (const auto& container : listed) {
      wait(engine, container.id);
      const auto inspect = engine.containers().inspect(container.id, true);
      if (!inspect) continue;  // --rm
      EXPECT_THAT((std::vector<std::string>{"created", "exited"}), Contains(inspect->state.status));
      EXPECT_EQ(inspect->state.exit_code, inspect->state.status == "exited" ? 3 : 0);
      EXPECT_EQ(inspect->network_settings.ip_address, "");
      const auto removed = engine.containers().remove(container.id, {.force = true, .volumes = true});
      EXPECT_TRUE(removed || removed.error().is(base::ErrorKind::NotFound)) << removed.error().message();
    }
    EXPECT_THAT(engine.containers().list({.all = true}).value(), IsEmpty());
    EXPECT_THAT(engine.volumes().list({}).value(), IsEmpty());
    const auto bridge = engine.networks().inspect("bridge", false).value();
    EXPECT_THAT(bridge["Containers"].as_object(), IsEmpty());
    // The port is free, the names are, and everything works.
    auto options = running({"sh", "-c", "exit 5"}, "afterwards");
    options.request.host_config.network_mode = "bridge";
    options.request.host_config.port_bindings =
        spec::api::PortMap{{"80/tcp", std::vector<spec::api::PortBinding>{{"", "18080"}}}};
    EXPECT_EQ(run(engine, options).code, 5);
    host.close();  // waits for what is done in the background
    EXPECT_THAT(names_in(host.options.exec_root + "/containers"), IsEmpty());
    EXPECT_THAT(names_in(host.options.exec_root + "/names"), IsEmpty());
    EXPECT_THAT(names_in(host.options.data_root + "/containers"), IsEmpty());
    host.open();  // trash is emptied at the latest now
    EXPECT_LE(names_in(host.options.data_root + "/snapshots").size(), layers + 1);
  });
}

INSTANTIATE_TEST_SUITE_P(Recovery, CrashPoints,
                         testing::Values("engine.create.volumes", "engine.create.snapshot", "engine.create.files", "engine.create.recorded",
                                         "engine.start.launched", "engine.start.reserved", "engine.start.attached",
                                         "engine.start.created", "engine.start.started", "engine.start.recorded",
                                         "engine.exit.seen", "engine.exit.disconnected", "engine.exit.recorded",
                                         "engine.remove.recorded", "engine.remove.snapshot", "engine.remove.volumes"),
                         [](const auto& point) {
                           std::string name = point.param;
                           for (char& c : name) c = c == '.' ? '_' : c;
                           return name;
                         });

}  // namespace
}  // namespace engine
