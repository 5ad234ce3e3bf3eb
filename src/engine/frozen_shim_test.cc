// A shim that does not answer delays those who ask for its own container, and nobody else.

#include <atomic>
#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/detail/test_engine.h"
#include "sys/process.h"

namespace engine {
namespace {

using namespace test;  // NOLINT: the vocabulary of these tests
using testing::Contains;
using testing::SizeIs;

/// A stopped shim; it goes on when the test does.
class Frozen {
 public:
  Frozen(const Host& host, const std::string& id) {
    const auto text = sys::read_file(sys::kCwd, host.options.exec_root + "/containers/" + id + "/shim.pid").value();
    shim_ = sys::Process::open(static_cast<pid_t>(base::parse_int(base::trim(text)).value())).value();
    EXPECT_TRUE(shim_.signal(SIGSTOP));
  }
  Frozen(const Frozen&) = delete;
  Frozen& operator=(const Frozen&) = delete;
  ~Frozen() { thaw(); }
  void thaw() const { base::ignore(shim_.signal(SIGCONT), "it may have ended"); }

 private:
  sys::Process shim_;
};

TEST(FrozenShim, DelaysOnlyThoseWhoAskForItsContainer) {
  on_fresh_host([](Host& host) {
    host.load_image();
    Engine& engine = host.engine();
    auto hung = running({"sleep", "1000"}, "hung");
    hung.request.config.healthcheck = spec::api::HealthConfig{.test = {"CMD", "true"}, .interval = 50'000'000};
    const std::string id = create(engine, hung);
    create(engine, running({"sh", "-c", "echo up; exec sleep 1000"}, "other"));
    create(engine, running({"true"}, "done"));
    for (const char* name : {"hung", "other", "done"}) ASSERT_TRUE(engine.containers().start(name, ""));
    wait(engine, "done");
    const Frozen frozen{host, id};

    // Three verbs that wait for the shim, and hold what they hold meanwhile.
    std::atomic<int> back = 0;
    std::vector<std::thread> waiting;
    waiting.emplace_back([&] { static_cast<void>(engine.containers().pause("hung")), ++back; });
    waiting.emplace_back([&] { static_cast<void>(engine.containers().top("hung", "")), ++back; });
    waiting.emplace_back([&] {
      const auto exec = engine.execs().create("hung", {.cmd = {"true"}});
      static_cast<void>(exec && engine.execs().start_detached(*exec)), ++back;
    });

    EXPECT_THAT(engine.containers().list({.all = true}).value(), SizeIs(3));
    EXPECT_TRUE(engine.containers().inspect("hung", false)->state.running);
    EXPECT_TRUE(engine.containers().logs("hung", {.out = true}));
    EXPECT_EQ(engine.containers().list({.filters = {{"name", {"hung"}}}}).value().size(), 1U);
    wait_for_output(engine, "other", "up\n");
    const auto exec = engine.execs().create("other", {.cmd = {"true"}});
    ASSERT_TRUE(exec);
    ASSERT_TRUE(engine.execs().start_detached(*exec));
    ASSERT_TRUE(engine.containers().pause("other"));
    ASSERT_TRUE(engine.containers().unpause("other"));
    ASSERT_TRUE(engine.containers().stop("other", {.timeout = std::chrono::seconds{0}}));
    ASSERT_TRUE(engine.containers().start("other", ""));
    ASSERT_TRUE(engine.containers().restart("other", {.timeout = std::chrono::seconds{0}}));
    EXPECT_THAT(engine.containers().prune({})->ids, SizeIs(1));
    EXPECT_EQ(run(engine, running({"echo", "new"})).output, "new\n");
    ASSERT_TRUE(engine.containers().remove("other", {.force = true}));
    EXPECT_THAT(events_of(engine, {{"container", {"other"}}}), Contains("destroy"));
    EXPECT_EQ(back, 0) << "all of that while those waited";

    frozen.thaw();
    for (std::thread& thread : waiting) thread.join();
    ASSERT_TRUE(engine.containers().remove("hung", {.force = true}));
  });
}

TEST(FrozenShim, DoesNotKeepADaemonFromStarting) {
  on_fresh_host([](Host& host) {
    host.load_image();
    const std::string id = create(host.engine(), running({"sleep", "1000"}, "hung"));
    create(host.engine(), running({"sleep", "1000"}, "other"));
    for (const char* name : {"hung", "other"}) ASSERT_TRUE(host.engine().containers().start(name, ""));
    host.close();
    const Frozen frozen{host, id};
    host.open();
    EXPECT_THAT(host.engine().containers().list({}).value(), SizeIs(2));
    ASSERT_TRUE(host.engine().containers().remove("other", {.force = true}));
    frozen.thaw();
    while (!host.engine().containers().top("hung", "")) std::this_thread::yield();  // until it is adopted
    const auto removed = host.engine().containers().remove("hung", {.force = true});
    EXPECT_TRUE(removed) << removed.error().message();
  });
}

}  // namespace
}  // namespace engine
