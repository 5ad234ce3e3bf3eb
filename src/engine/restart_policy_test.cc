// Restart policies against a model: every policy with every way in which a container can end, with a daemon
// that sees it and with one that comes later, and what the next daemon does with those that lie still.

#include <array>
#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/detail/test_engine.h"
#include "sys/process.h"

namespace engine {
namespace {

using namespace test;  // NOLINT: the vocabulary of these tests

enum class Ending : std::uint8_t { Success, Failure, Crash, Kill, Stop };
constexpr std::array<Ending, 5> kEndings = {Ending::Success, Ending::Failure, Ending::Crash, Ending::Kill, Ending::Stop};
constexpr std::array<const char*, 5> kEndingNames = {"success", "failure", "crash", "kill", "stop"};
const std::array<spec::api::RestartPolicy, 5> kPolicies = {
    {{"no", 0}, {"always", 0}, {"unless-stopped", 0}, {"on-failure", 0}, {"on-failure", 1}}};

// The model, from docker's documentation of --restart.
bool by_client(Ending ending) { return ending == Ending::Kill || ending == Ending::Stop; }
bool runs_again(const spec::api::RestartPolicy& policy, Ending ending) {
  if (by_client(ending) || policy.name == "no") return false;
  return policy.name != "on-failure" || ending != Ending::Success;
}
/// Of one that lies still: whether the next daemon starts it.
bool starts_with_daemon(const spec::api::RestartPolicy& policy) { return policy.name == "always"; }

std::string name_of(const spec::api::RestartPolicy& policy, Ending ending, const char* when) {
  return policy.name + (policy.maximum_retry_count > 0 ? "-1" : "") + "-" +
         kEndingNames[static_cast<std::size_t>(ending)] + "-" + when;
}

/// The first run ends as the test wants it, the second stays.
CreateOptions subject(const spec::api::RestartPolicy& policy, Ending ending, const char* when) {
  std::string script = "test -e /second && exec sleep 1000; touch /second; ";
  script += by_client(ending) || ending == Ending::Crash ? "exec sleep 1000"
                                                         : "while ! test -e /go; do sleep 0.05; done; exit ";
  if (ending == Ending::Success) script += "0";
  if (ending == Ending::Failure) script += "3";
  auto options = running({"sh", "-c", script}, name_of(policy, ending, when));
  options.request.host_config.restart_policy = policy;
  return options;
}

/// Polls: the machine may be slow.
template <class Condition>
void eventually(const std::string& what, Condition condition) {
  for (int i = 0; i < 1200; ++i) {
    if (condition()) return;
    std::this_thread::sleep_for(std::chrono::milliseconds{25});
  }
  ADD_FAILURE() << "not within half a minute: " << what;
}

spec::api::ContainerInspect look(Engine& engine, const std::string& name) {
  return engine.containers().inspect(name, false).value();
}

/// Through the container's own root, which its process shows.
void bring_to_end(const spec::api::ContainerInspect& container, Ending ending) {
  if (ending == Ending::Crash) {
    ASSERT_EQ(::kill(static_cast<pid_t>(container.state.pid), SIGKILL), 0);  // lint: allow(raw-syscall) a crash
    return;
  }
  const std::string go = "/proc/" + std::to_string(container.state.pid) + "/root/go";
  ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, go, ""));
}

void expect_settled(Engine& engine, const spec::api::RestartPolicy& policy, Ending ending, const char* when) {
  const std::string name = name_of(policy, ending, when);
  const bool again = runs_again(policy, ending);
  eventually(name + (again ? " runs again" : " lies still"), [&] {
    const auto now = look(engine, name);
    // "exited" is the decision itself: what is to start again is "restarting" from the same moment on.
    return again ? now.state.status == "running" && now.restart_count == 1
                 : now.state.status == "exited" && now.restart_count == 0;
  });
}

TEST(RestartPolicy, FollowsTheModelWithAndWithoutADaemon) {
  on_fresh_host([](Host& host) {
    host.load_image();
    const auto for_all = [](const char* when, auto body) {
      for (const auto& policy : kPolicies) {
        for (const Ending ending : kEndings) {
          // Without a daemon no client can stop anything.
          if (std::string_view{when} == "away" && by_client(ending)) continue;
          body(policy, ending, when);
        }
      }
    };
    const auto start = [&](const auto& policy, Ending ending, const char* when) {
      const std::string id = create(host.engine(), subject(policy, ending, when));
      ASSERT_TRUE(host.engine().containers().start(id, ""));
    };
    for_all("seen", start);
    for_all("away", start);

    for_all("seen", [&](const auto& policy, Ending ending, const char* when) {
      const auto container = look(host.engine(), name_of(policy, ending, when));
      if (ending == Ending::Kill) {
        ASSERT_TRUE(host.engine().containers().kill(container.id, ""));
      } else if (ending == Ending::Stop) {
        ASSERT_TRUE(host.engine().containers().stop(container.id, {.timeout = std::chrono::seconds{0}}));
      } else {
        bring_to_end(container, ending);
      }
    });
    for_all("seen", [&](const auto&... which) { expect_settled(host.engine(), which...); });

    std::vector<spec::api::ContainerInspect> left;
    std::vector<Ending> endings;
    for_all("away", [&](const auto& policy, Ending ending, const char* when) {
      left.push_back(look(host.engine(), name_of(policy, ending, when)));
      endings.push_back(ending);
    });
    host.close();
    for (std::size_t i = 0; i < left.size(); ++i) bring_to_end(left[i], endings[i]);
    for (const auto& container : left) {
      eventually("the shim of " + container.name + " writes the end down", [&] {
        return sys::exists(sys::kCwd, host.options.exec_root + "/containers/" + container.id + "/exit.json").value_or(false);
      });
    }
    host.open();
    for_all("away", [&](const auto&... which) { expect_settled(host.engine(), which...); });

    // What lies still by now, the next daemon starts or not; what runs goes on in the same process.
    const std::int64_t pid = look(host.engine(), "always-crash-away").state.pid;
    host.close();
    host.open();
    EXPECT_EQ(look(host.engine(), "always-crash-away").state.pid, pid);
    for (const char* when : {"seen", "away"}) {
      for_all(when, [&](const auto& policy, Ending ending, const char* at) {
        const std::string name = name_of(policy, ending, at);
        const bool runs = runs_again(policy, ending) || starts_with_daemon(policy);
        eventually(name + " after the next start", [&] {
          return look(host.engine(), name).state.status == (runs ? "running" : "exited");
        });
      });
    }
    const auto all = host.engine().containers().list({.all = true});
    ASSERT_TRUE(all);
    for (const auto& container : *all) {
      ASSERT_TRUE(host.engine().containers().remove(container.id, {.force = true}));
    }
  });
}

TEST(RestartPolicy, OnFailureGivesUpAfterItsCountAndAStartBeginsAnew) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    auto options = running({"sh", "-c", "echo run; exit 5"}, "box");
    options.request.host_config.restart_policy = {"on-failure", 2};
    create(engine, options);
    for (const char* output : {"run\nrun\nrun\n", "run\nrun\nrun\nrun\nrun\nrun\n"}) {
      ASSERT_TRUE(engine.containers().start("box", ""));
      eventually("the third end is the last one", [&] {
        const auto now = look(engine, "box");
        return now.state.status == "exited" && now.restart_count == 2;
      });
      EXPECT_EQ(logs_of(engine, "box"), output);
    }
    // One that was never started is not started by the next daemon either.
    auto created = running({"sleep", "100"}, "fresh");
    created.request.host_config.restart_policy = {"always", 0};
    create(engine, created);
    host.close();
    host.open();
    EXPECT_EQ(look(host.engine(), "fresh").state.status, "created");
    EXPECT_EQ(look(host.engine(), "box").state.status, "exited");
  });
}

TEST(RestartPolicy, AStopWhileItWaitsForTheNextStartHolds) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    auto options = running({"false"}, "box");
    options.request.host_config.restart_policy = {"unless-stopped", 0};
    create(engine, options);
    ASSERT_TRUE(engine.containers().start("box", ""));
    // By its third start it waits 400 ms and more: long enough to be met there.
    eventually("it waits", [&] {
      const auto now = look(engine, "box");
      return now.state.status == "restarting" && now.restart_count >= 4;
    });
    ASSERT_TRUE(engine.containers().stop("box", {.timeout = std::chrono::seconds{0}}));
    EXPECT_EQ(look(engine, "box").state.status, "exited");
    host.close();
    host.open();
    EXPECT_EQ(look(host.engine(), "box").state.status, "exited");
  });
}

}  // namespace
}  // namespace engine
