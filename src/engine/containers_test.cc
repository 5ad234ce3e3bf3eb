#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/detail/test_engine.h"

namespace engine {
namespace {

using namespace test;  // NOLINT: the vocabulary of these tests
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

TEST(Containers, CreateStartWaitLogsRemove) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    auto options = running({"sh", "-c", "echo out; echo err >&2; exit 3"}, "first");
    options.request.config.labels = spec::api::Labels{{"tier", "test"}};
    const std::string id = create(engine, options);
    const auto created = engine.containers().inspect(id, false).value();
    EXPECT_EQ(created.state.status, "created");
    EXPECT_EQ(created.name, "/first");
    EXPECT_EQ(created.path, "sh");
    ASSERT_TRUE(engine.containers().start("first", ""));
    EXPECT_EQ(wait(engine, id), 3);
    EXPECT_EQ(logs_of(engine, id), "out\nerr\n");
    const auto over = engine.containers().inspect(id, true).value();
    EXPECT_EQ(over.state.status, "exited");
    EXPECT_EQ(over.state.exit_code, 3);
    EXPECT_FALSE(over.state.running);
    EXPECT_EQ(over.state.pid, 0);
    EXPECT_GE(over.state.finished_at, over.state.started_at);
    EXPECT_TRUE(over.size_rw.has_value());
    ASSERT_TRUE(engine.containers().remove(id.substr(0, 12), {}));
    EXPECT_EQ(engine.containers().inspect(id, false).error().message(), "No such container: " + id);
    EXPECT_THAT(events_of(engine, {{"type", {"container"}}}), ElementsAre("create", "start", "die", "destroy"));
    host.close();  // waits for what is done in the background
    for (const std::string& root : {host.options.exec_root + "/containers", host.options.exec_root + "/names",
                                    host.options.data_root + "/containers"}) {
      EXPECT_THAT(sys::list_dir(sys::kCwd, root).value(), IsEmpty()) << root;
    }
  });
}

TEST(Containers, EnvironmentUserAndFiles) {
  on_fresh_host([](Host& host) {
    host.load_image();
    auto options = running({"sh", "-c", "id; echo $FROM_IMAGE $MINE $HOME; cat /etc/hostname; pwd; cat /etc/hosts"});
    options.request.config.user = "www";
    options.request.config.env = std::vector<std::string>{"MINE=2"};
    options.request.config.hostname = "box";
    options.request.config.working_dir = "/work/here";
    options.request.host_config.extra_hosts = std::vector<std::string>{"db:10.0.0.9"};
    const Outcome outcome = run(host.engine(), options);
    EXPECT_THAT(outcome.output, HasSubstr("uid=33(www) gid=33(www) groups=44(extra)"));
    EXPECT_THAT(outcome.output, HasSubstr("\n1 2 /data\nbox\n/work/here\n"));
    EXPECT_THAT(outcome.output, HasSubstr("10.0.0.9\tdb"));
    EXPECT_EQ(outcome.code, 0);
  });
}

TEST(Containers, CommandsThatCantRun) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    const auto failure = [&](const char* command, int code, const char* words) {
      const std::string id = create(engine, running({command}));
      const auto started = engine.containers().start(id, "");
      ASSERT_TRUE(started.failed_as(base::ErrorKind::InvalidArgument));
      EXPECT_THAT(started.error().message(), StartsWith("failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: "));
      EXPECT_THAT(started.error().message(), HasSubstr(words));
      const auto state = engine.containers().inspect(id, false).value().state;
      EXPECT_EQ(state.status, "created");
      EXPECT_EQ(state.exit_code, code);
      EXPECT_EQ(state.error, started.error().message());
      EXPECT_TRUE(engine.containers().remove(id, {}));
    };
    failure("nosuchcommand", 127, "exec: \"nosuchcommand\": executable file not found in $PATH");
    failure("/etc/nothing", 127, "no such file or directory");
    failure("/etc/notexecutable", 126, "permission denied");
    EXPECT_THAT(sys::list_dir(sys::kCwd, host.options.exec_root + "/containers").value(), IsEmpty());
  });
}

TEST(Containers, CreateErrors) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    const std::string id = create(engine, running({"true"}, "taken"));
    const auto twice = engine.containers().create(running({"true"}, "taken"));
    ASSERT_TRUE(twice.failed_as(base::ErrorKind::Conflict));
    EXPECT_EQ(twice.error().message(), "Conflict. The container name \"/taken\" is already in use by container \"" + id +
                                           "\". You have to remove (or rename) that container to be able to reuse that name.");
    auto absent = running({"true"});
    absent.request.config.image = "absent";
    EXPECT_EQ(engine.containers().create(absent).error().message(), "No such image: absent:latest");
    auto small = running({"true"}, "small");
    small.request.host_config.resources.memory = 1;
    EXPECT_TRUE(engine.containers().create(small).failed_as(base::ErrorKind::InvalidArgument));
    auto bind = running({"true"}, "small");
    bind.request.host_config.mounts = std::vector<spec::api::Mount>{{.type = "bind", .source = "/absent", .target = "/x"}};
    EXPECT_EQ(engine.containers().create(bind).error().message(),
              "invalid mount config for type \"bind\": bind source path does not exist: /absent");
    EXPECT_TRUE(engine.containers().create(running({"true"}, "small"))) << "failed creates leave the name free";
  });
}

TEST(Containers, StopKillPauseAndTheirConflicts) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    auto& containers = engine.containers();
    const std::string id = create(engine, running({"sh", "-c", "trap 'exit 7' TERM; echo up; while :; do sleep 0.1; done"}, "cc"));
    EXPECT_TRUE(containers.stop("cc", {}).failed_as(base::ErrorKind::NotModified));
    EXPECT_EQ(containers.kill("cc", "").error().message(), "cannot kill container: cc: container " + id + " is not running");
    ASSERT_TRUE(containers.start("cc", ""));
    EXPECT_TRUE(containers.start("cc", "").failed_as(base::ErrorKind::NotModified));
    EXPECT_EQ(containers.remove("cc", {}).error().message(),
              "cannot remove container \"cc\": container is running: stop the container before removing or force remove");
    ASSERT_TRUE(containers.pause("cc"));
    EXPECT_THAT(containers.list({}).value().at(0).status, HasSubstr("(Paused)"));
    EXPECT_EQ(containers.pause("cc").error().message(), "container " + id + " is already paused");
    ASSERT_TRUE(containers.unpause("cc"));
    EXPECT_EQ(containers.unpause("cc").error().message(), "Container " + id + " is not paused");
    wait_for_output(engine, "cc", "up");
    ASSERT_TRUE(containers.stop("cc", {.signal = {}, .timeout = std::chrono::seconds{20}}));
    EXPECT_EQ(containers.inspect("cc", false)->state.exit_code, 7);
    ASSERT_TRUE(containers.start("cc", ""));
    ASSERT_TRUE(containers.kill("cc", "KILL"));
    EXPECT_EQ(containers.inspect("cc", false)->state.exit_code, 137);
    ASSERT_TRUE(containers.start("cc", ""));
    ASSERT_TRUE(containers.rename("cc", "dd"));
    ASSERT_TRUE(containers.remove("dd", {.force = true}));
    EXPECT_THAT(events_of(engine, {{"container", {id}}}),
                ElementsAre("create", "start", "pause", "unpause", "kill", "die", "stop", "start", "kill", "die",
                            "start", "rename", "kill", "die", "destroy"));
  });
}

TEST(Containers, AStopThatIsIgnoredBecomesAKill) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    const std::string id = create(engine, running({"sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"}));
    ASSERT_TRUE(engine.containers().start(id, ""));
    ASSERT_TRUE(engine.containers().stop(id, {.signal = {}, .timeout = std::chrono::seconds{0}}));
    EXPECT_EQ(engine.containers().inspect(id, false)->state.exit_code, 137);
    EXPECT_THAT(events_of(engine, {{"event", {"kill", "die", "stop"}}}, "signal"),
                ElementsAre("kill=15", "kill=9", "die", "stop"));
  });
}

/// What comes out of a connection, up to its end.
std::string read_all(int fd) {
  std::string text;
  char buffer[4096];
  while (true) {
    const auto got = sys::read_some(fd, buffer);
    if (!got || *got == 0) return text;
    text.append(buffer, *got);
  }
}

/// The text of one stream of docker's frames.
std::string stream_of(std::string_view frames, int stream) {
  std::string text;
  while (frames.size() >= 8) {
    std::size_t size = 0;
    for (std::size_t i = 4; i < 8; ++i) size = size << 8U | static_cast<unsigned char>(frames[i]);
    if (frames[0] == stream) text += frames.substr(8, size);
    frames.remove_prefix(std::min(frames.size(), 8 + size));
  }
  EXPECT_TRUE(frames.empty()) << "a frame without its header";
  return text;
}

TEST(Containers, AttachedBeforeTheStartNothingIsMissed) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    auto options = running({"sh", "-c", "cat; echo done >&2"});
    options.request.config.open_stdin = true;
    options.request.config.stdin_once = true;
    const std::string id = create(engine, options);
    auto ticket = engine.containers().attach(id, {.stream = true, .in = true, .out = true, .err = true}).value();
    EXPECT_FALSE(ticket->tty());
    auto pair = sys::make_socket_pair(SOCK_STREAM).value();
    ASSERT_TRUE(ticket->connect(std::move(pair.second), "early "));
    ASSERT_TRUE(engine.containers().start(id, ""));
    ASSERT_TRUE(sys::write_all(pair.first.get(), "late\n"));
    ::shutdown(pair.first.get(), SHUT_WR);
    const std::string output = read_all(pair.first.get());
    // cat may have written "early " before the rest came: then it is a frame of its own.
    EXPECT_EQ(stream_of(output, 1), "early late\n");
    EXPECT_EQ(stream_of(output, 2), "done\n");
    EXPECT_EQ(wait(engine, id), 0);
  });
}

TEST(Containers, TheLayersOfAnImageThatIsGoneGoWithTheLastContainer) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    const std::string id = create(engine, running({"true"}));
    ASSERT_TRUE(engine.images().remove("busybox", true, false));
    const auto folders = [&] { return sys::list_dir(sys::kCwd, host.options.data_root + "/snapshots")->size(); };
    const std::size_t before = folders();
    ASSERT_TRUE(engine.containers().remove(id, {}));
    host.close();  // waits for what is done in the background
    host.open();   // empties the trash
    EXPECT_EQ(folders() + 2, before) << "the container's and the image's";
  });
}

TEST(Containers, RemovedWithItsEnd) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    auto options = running({"true"});
    options.request.host_config.auto_remove = true;
    options.request.host_config.binds = std::vector<std::string>{"/anonymous"};
    const std::string id = create(engine, options);
    EXPECT_EQ(engine.volumes().list({})->size(), 1U);
    auto removed = engine.containers().wait(id, WaitCondition::Removed).value();
    ASSERT_TRUE(engine.containers().start(id, ""));
    EXPECT_EQ(removed->get({})->status_code, 0);
    EXPECT_TRUE(engine.containers().inspect(id, false).failed_as(base::ErrorKind::NotFound));
    EXPECT_EQ(engine.volumes().list({})->size(), 0U) << "its anonymous volume goes with it";
  });
}

TEST(Containers, RestartPolicyCountsAndGivesUp) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    auto options = running({"sh", "-c", "echo run; exit 5"});
    options.request.host_config.restart_policy = {"on-failure", 2};
    const std::string id = create(engine, options);
    auto ended = engine.containers().wait(id, WaitCondition::NextExit).value();
    ASSERT_TRUE(engine.containers().start(id, ""));
    EXPECT_EQ(ended->get({})->status_code, 5) << "at the first end, as with docker";
    while (engine.containers().inspect(id, false)->state.status != "exited") std::this_thread::yield();
    EXPECT_EQ(logs_of(engine, id), "run\nrun\nrun\n");
    const auto inspect = engine.containers().inspect(id, false).value();
    EXPECT_EQ(inspect.restart_count, 2);
    EXPECT_EQ(inspect.state.status, "exited");
  });
}

TEST(Containers, AStopEndsTheRestarts) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    auto options = running({"false"});
    options.request.host_config.restart_policy = {"always", 0};
    const std::string id = create(engine, options);
    ASSERT_TRUE(engine.containers().start(id, ""));
    while (engine.containers().inspect(id, false)->restart_count < 2) std::this_thread::yield();
    ASSERT_TRUE(engine.containers().stop(id, {}));
    EXPECT_EQ(engine.containers().inspect(id, false)->state.status, "exited");
    ASSERT_TRUE(engine.containers().remove(id, {}));
  });
}

TEST(Containers, RestartKeepsAContainerThatWouldBeRemoved) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    auto options = running({"sh", "-c", "trap 'exit 0' TERM; echo up; while :; do sleep 0.1; done"}, "cc");
    options.request.host_config.auto_remove = true;
    create(engine, options);
    ASSERT_TRUE(engine.containers().start("cc", ""));
    wait_for_output(engine, "cc", "up");
    const auto pid = engine.containers().inspect("cc", false)->state.pid;
    ASSERT_TRUE(engine.containers().restart("cc", {}));
    const auto state = engine.containers().inspect("cc", false).value().state;
    EXPECT_EQ(state.status, "running");
    EXPECT_NE(state.pid, pid);
    ASSERT_TRUE(engine.containers().remove("cc", {.force = true}));
  });
}

TEST(Containers, Execs) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    const std::string id = create(engine, running({"sleep", "100"}));
    spec::api::ExecConfig config;
    config.cmd = {"sh", "-c", "echo in exec; exit 4"};
    config.attach_stdout = true;
    EXPECT_EQ(engine.execs().create(id, config).error().message(), "container " + id + " is not running");
    ASSERT_TRUE(engine.containers().start(id, ""));
    const std::string exec = engine.execs().create(id, config).value();
    auto ticket = engine.execs().start(exec, {}, true).value();
    auto pair = sys::make_socket_pair(SOCK_STREAM).value();
    ASSERT_TRUE(ticket->connect(std::move(pair.second), ""));
    EXPECT_EQ(read_all(pair.first.get()), (std::string{"\1\0\0\0\0\0\0\10in exec\n", 16}));
    const auto inspect = engine.execs().inspect(exec).value();
    EXPECT_FALSE(inspect.running);
    EXPECT_EQ(inspect.exit_code, 4);
    EXPECT_EQ(inspect.process_config.entrypoint, "sh");
    EXPECT_EQ(engine.execs().start_detached(exec).error().message(), "exec command " + exec + " has already run");

    config.cmd = {"nosuchcommand"};
    const std::string bad = engine.execs().create(id, config).value();
    auto bad_ticket = engine.execs().start(bad, {}, true).value();
    auto bad_pair = sys::make_socket_pair(SOCK_STREAM).value();
    ASSERT_TRUE(bad_ticket->connect(std::move(bad_pair.second), ""));
    EXPECT_THAT(read_all(bad_pair.first.get()), HasSubstr("executable file not found in $PATH"));
    EXPECT_EQ(engine.execs().inspect(bad)->exit_code, 127);
    ASSERT_TRUE(engine.containers().remove(id, {.force = true}));
    EXPECT_EQ(engine.execs().inspect(exec).error().message(), "No such exec instance: " + exec);
  });
}

TEST(Containers, TopShowsItsProcesses) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    const std::string id = create(engine, running({"sleep", "100"}));
    ASSERT_TRUE(engine.containers().start(id, ""));
    const auto top = engine.containers().top(id, "").value();
    EXPECT_THAT(top.titles, ElementsAre("UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"));
    ASSERT_EQ(top.processes.size(), 1U);
    EXPECT_EQ(top.processes[0].back(), "sleep 100");
    EXPECT_EQ(top.processes[0][1], std::to_string(engine.containers().inspect(id, false)->state.pid));
    ASSERT_TRUE(engine.containers().remove(id, {.force = true}));
  });
}

TEST(Containers, ListFilters) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    auto labelled = running({"true"}, "web1");
    labelled.request.config.labels = spec::api::Labels{{"tier", "web"}};
    labelled.request.config.exposed_ports = spec::api::NameSet{{"80/tcp", {}}};
    const std::string web = create(engine, labelled);
    const std::string db = create(engine, running({"false"}, "db1"));
    ASSERT_TRUE(engine.containers().start(db, ""));
    wait(engine, db);
    const auto names = [&](const Filters& filters, bool all = true) {
      std::vector<std::string> found;
      const auto listed = engine.containers().list({.all = all, .filters = filters}).value();
      for (const auto& one : listed) found.push_back(one.names[0]);
      return found;
    };
    EXPECT_THAT(names({}), ElementsAre("/db1", "/web1"));
    EXPECT_THAT(names({}, false), IsEmpty());
    EXPECT_THAT(names({{"name", {"^web"}}}), ElementsAre("/web1"));
    EXPECT_THAT(names({{"id", {web.substr(0, 10)}}}), ElementsAre("/web1"));
    EXPECT_THAT(names({{"label", {"tier=web"}}}), ElementsAre("/web1"));
    EXPECT_THAT(names({{"status", {"created"}}}, false), ElementsAre("/web1"));
    EXPECT_THAT(names({{"exited", {"1"}}}, false), ElementsAre("/db1"));
    EXPECT_THAT(names({{"before", {"db1"}}}), ElementsAre("/web1"));
    EXPECT_THAT(names({{"since", {"web1"}}}), ElementsAre("/db1"));
    EXPECT_THAT(names({{"ancestor", {"busybox"}}}), ElementsAre("/db1", "/web1"));
    EXPECT_THAT(names({{"ancestor", {"other"}}}), IsEmpty());
    EXPECT_THAT(names({{"expose", {"80"}}}), ElementsAre("/web1"));
    EXPECT_THAT(names({{"network", {"none"}}}), ElementsAre("/db1", "/web1"));
    EXPECT_EQ(engine.containers().list({.limit = 1})->size(), 1U);
    EXPECT_EQ(engine.containers().list({.filters = {{"colour", {"red"}}}}).error().message(), "invalid filter 'colour'");
    EXPECT_EQ(engine.containers().list({.filters = {{"exited", {"x"}}}}).error().message(), "invalid filter 'exited=x'");
    EXPECT_EQ(engine.containers().prune({{"label", {"tier=web"}}})->ids, std::vector{web});
  });
}

}  // namespace
}  // namespace engine
