/// What must hold when something is slow, large, killed or in the way.
#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/strings.h"
#include "shim/test_container.h"
#include "sys/file.h"
#include "sys/process.h"

namespace shim {
namespace {

using logs::Stream;
using testing::HasSubstr;
using namespace std::chrono_literals;

/// The tests' runtime: the built-in one unless the environment names another.
std::string test_runtime() {
  const char* runtime = std::getenv("CAISSON_TEST_RUNTIME");  // NOLINT(concurrency-mt-unsafe)
  return runtime == nullptr ? "" : runtime;
}

class Stress : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "containers need root";
    box_.emplace(test_runtime());
  }
  TestContainer& box() { return *box_; }
  Client& shim() { return **box_->daemon; }
  /// A shim that died by itself: nothing of the container is left behind after its burial.
  void expect_buried(int code, const std::string& error) {
    ASSERT_TRUE(box().record.wait_lost());
    const auto pid = sys::read_file(sys::kCwd, box().run_dir() + "/pid");
    box().forget_daemon();
    const auto exit = bury(box().run_dir());
    ASSERT_TRUE(exit) << exit.error().message();
    EXPECT_EQ(exit->code, code);
    EXPECT_THAT(exit->error, HasSubstr(error));
    EXPECT_EQ(read_exit(box().run_dir()).value()->code, code);
    EXPECT_FALSE(sys::exists(sys::kCwd, box().options.runtime_root + "/" + box().options.id).value());
    if (pid) {
      const auto init = sys::Process::open(static_cast<pid_t>(base::parse_int(*pid).value()));
      EXPECT_TRUE(!init || !init->alive()) << "the init lives on";
    }
  }
  std::optional<TestContainer> box_;
};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;  // whose memory is the sanitizer's
#else
constexpr bool kSanitized = false;
#endif

std::string numbers(int from, int to) {
  std::string out;
  for (int i = from; i <= to; ++i) out += std::to_string(i) + "\n";
  return out;
}

/// A line of /proc/<pid>/smaps_rollup, in bytes.
std::uint64_t memory_of(int pid, std::string_view kind) {
  const auto text = sys::read_file(sys::kCwd, "/proc/" + std::to_string(pid) + "/smaps_rollup").value();
  for (const auto line : base::split(text, '\n')) {
    if (line.starts_with(kind)) return base::parse_uint(base::split_words(line)[1]).value_or(0) * 1024;
  }
  return 0;
}

TEST_F(Stress, NoLineIsLostWhileNoDaemonLives) {
  box().options.open_stdin = true;
  box().run("read x; seq 1 400000; echo end >&2");
  Terminal terminal;
  ASSERT_TRUE(shim().attach(terminal.remote, {.in = true}));
  terminal.remote.reset();
  const auto process = sys::Process::open(box().shim_pid());
  terminal.send("\n");
  box().forget_daemon();  // in the middle of it
  ASSERT_TRUE(sys::poll_readable(process->pidfd(), 30s));
  EXPECT_EQ(box().log_text(), numbers(1, 400000));
  EXPECT_EQ(box().log_text(Stream::Stderr), "end\n");
  EXPECT_EQ(read_exit(box().run_dir()).value()->code, 0);
}

TEST_F(Stress, ASlowClientStopsNobodyAndLosesNothing) {
  box().launch("seq 1 1500000");
  ASSERT_TRUE(shim().wait_created());
  Terminal slow;
  Terminal fast;
  for (auto* terminal : {&slow, &fast}) {
    ASSERT_TRUE(shim().attach(terminal->remote, {.out = true, .err = true}));
    terminal->remote.reset();
  }
  ASSERT_TRUE(shim().start());
  const std::string all = unframe(fast.read_all()).first;
  // The slow one has read nothing yet, and the container has ended.
  ASSERT_TRUE(box().record.wait_exit());
  if (!kSanitized) {
    EXPECT_LT(memory_of(box().shim_pid(), "Anonymous:"), 2U << 20U);
  }
  EXPECT_EQ(unframe(slow.read_all()).first, all);
  EXPECT_EQ(all, numbers(1, 1500000));
  EXPECT_TRUE(box().record.wait_lost());
}

TEST_F(Stress, AClientThatLeavesHarmsNobody) {
  box().launch("seq 1 300000");
  ASSERT_TRUE(shim().wait_created());
  Terminal leaver;
  ASSERT_TRUE(shim().attach(leaver.remote, {.out = true}));
  leaver.remote.reset();
  leaver.close();
  ASSERT_TRUE(shim().start());
  EXPECT_EQ(box().record.wait_exit()->code, 0);
  EXPECT_EQ(box().log_text(), numbers(1, 300000));
}

TEST_F(Stress, TheInputOfAClientThatIsGoneStillArrives) {
  box().options.open_stdin = true;
  box().options.stdin_once = true;
  box().run("sleep 0.3; wc -c");
  Terminal terminal;
  ASSERT_TRUE(shim().attach(terminal.remote, {.in = true}));
  terminal.remote.reset();
  // More than the pipe and the shim's own buffer hold.
  const std::string input(300'000, 'x');
  std::thread sender{[&] {
    terminal.send(input);
    terminal.close();
  }};
  EXPECT_EQ(box().record.wait_exit()->code, 0);
  sender.join();
  EXPECT_EQ(box().log_text(), "300000\n");
}

TEST_F(Stress, AttachWithLogsJoinsThePastToThePresent) {
  box().options.open_stdin = true;
  box().run("echo old; echo olderr >&2; printf prompt; read x; echo answer $x; read y");
  for (int i = 0; i < 500 && box().log_text(Stream::Stderr).empty(); ++i) std::this_thread::sleep_for(10ms);
  std::this_thread::sleep_for(50ms);
  Terminal terminal;
  ASSERT_TRUE(shim().attach(terminal.remote, {.in = true, .out = true, .err = true, .logs = true}));
  terminal.remote.reset();
  terminal.send("yes\n");
  terminal.send("\n");
  const auto [out, err] = unframe(terminal.read_all());
  EXPECT_EQ(out, "old\npromptanswer yes\n");
  EXPECT_EQ(err, "olderr\n");
  ASSERT_TRUE(box().record.wait_exit());
}

TEST_F(Stress, LogsWithoutStreamEndByThemselves) {
  box().run("seq 1 100000; sleep 1000");
  while (box().log().size() < 100000) std::this_thread::sleep_for(10ms);
  Terminal terminal;
  ASSERT_TRUE(shim().attach(terminal.remote, {.out = true, .err = true, .logs = true, .stream = false}));
  terminal.remote.reset();
  EXPECT_EQ(unframe(terminal.read_all()).first, numbers(1, 100000));
  ASSERT_TRUE(shim().signal({.signal = SIGKILL}));
}

TEST_F(Stress, ALargeRequestTakesTheDetour) {
  box().run("sleep 1000");
  Exec exec = box().make_exec("large", "echo ${#BIG}");
  codec::Json environment = codec::Json::array({"PATH=/bin", "BIG=" + std::string(120'000, 'x')});
  exec.process.set("env", environment);
  exec.attachment = Attachment{.out = true};
  Terminal terminal;
  const auto made = shim().exec(exec, terminal.remote);
  ASSERT_TRUE(made) << made.error().message();
  terminal.remote.reset();
  EXPECT_EQ(unframe(terminal.read_all()).first, "120000\n");
}

TEST_F(Stress, ManyExecsAtOnce) {
  box().run("sleep 1000");
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&, i] {
      const std::string id = "exec" + std::to_string(i);
      Exec exec = box().make_exec(id, "seq 1 20000; exit " + std::to_string(i));
      exec.attachment = Attachment{.out = true};
      Terminal terminal;
      ASSERT_TRUE(shim().exec(exec, terminal.remote));
      terminal.remote.reset();
      const bool output = unframe(terminal.read_all()).first == numbers(1, 20000);
      const auto exit = box().record.wait_exec_exit(id);
      if (output && exit && exit->code == i) ++right;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(right, 16);
  EXPECT_TRUE(read_exec_exits(box().run_dir()).value().empty()) << "acknowledged ones go";
}

TEST_F(Stress, WhatHoldsAnExecsPipesDoesNotHoldItsEnd) {
  box().run("sleep 1000");
  Exec exec = box().make_exec("x", "sleep 500 & echo here; exit 2");
  exec.attachment = Attachment{.out = true};
  Terminal terminal;
  ASSERT_TRUE(shim().exec(exec, terminal.remote));
  terminal.remote.reset();
  EXPECT_EQ(box().record.wait_exec_exit("x")->code, 2);
  EXPECT_EQ(unframe(terminal.read_all()).first, "here\n");
}

TEST_F(Stress, ProcessesOutsideAPidNamespaceEndWithTheInit) {
  box().host_pids = true;
  box().run("sleep 1000 & echo $!; exit 3");
  EXPECT_EQ(box().record.wait_exit()->code, 3);
  EXPECT_TRUE(box().record.wait_lost());
  const auto pid = base::parse_int(base::trim(box().log_text()));
  ASSERT_TRUE(pid);
  const auto left = sys::Process::open(static_cast<pid_t>(*pid));
  EXPECT_TRUE(!left || !left->alive());
}

TEST_F(Stress, RotatedLogsAreCompressed) {
  box().options.log.options = {{"max-size", "200k"}, {"max-file", "50"}, {"compress", "true"}};
  box().run("for i in $(seq 1 20); do seq $((i*1000+1)) $((i*1000+1000)); done");
  EXPECT_EQ(box().record.wait_exit()->code, 0);
  EXPECT_TRUE(box().record.wait_lost());
  EXPECT_EQ(box().log_text(), numbers(1001, 21000));
  // At least the first one, wherever it stands by now.
  int compressed = 0;
  for (int i = 1; i < 50; ++i) {
    const std::string name = box().options.log.path + "." + std::to_string(i);
    if (sys::exists(sys::kCwd, name + ".gz").value()) ++compressed;
    EXPECT_FALSE(sys::exists(sys::kCwd, name + ".gz.tmp").value());
  }
  EXPECT_GE(compressed, 1);
}

TEST_F(Stress, ManyShimsAtOnceAndSmall) {
  constexpr int kCount = 50;
  std::vector<std::unique_ptr<TestContainer>> boxes(kCount);
  {
    std::vector<std::thread> threads;
    for (int worker = 0; worker < 4; ++worker) {
      threads.emplace_back([&, worker] {
        for (int i = worker; i < kCount; i += 4) {
          boxes[static_cast<std::size_t>(i)] = std::make_unique<TestContainer>(test_runtime());
          auto& box = *boxes[static_cast<std::size_t>(i)];
          box.options.open_stdin = true;
          box.run("echo " + std::to_string(i) + "; read x; exit " + std::to_string(i));
        }
      });
    }
    for (auto& thread : threads) thread.join();
  }
  std::this_thread::sleep_for(1s);
  std::uint64_t total = 0;
  for (auto& box : boxes) total += memory_of(box->shim_pid(), "Pss:");
  RecordProperty("pss_per_shim", std::to_string(total / kCount));
  std::printf("PSS per shim: %lu KiB\n", static_cast<unsigned long>(total / kCount / 1024));
  if (!kSanitized) {
    EXPECT_LT(total / kCount, 400U * 1024);
  }
  for (auto& box : boxes) ASSERT_TRUE((**box->daemon).close_stdin(""));
  for (int i = 0; i < kCount; ++i) {
    auto& box = *boxes[static_cast<std::size_t>(i)];
    EXPECT_EQ(box.record.wait_exit()->code, i);
    EXPECT_EQ(box.log_text(), std::to_string(i) + "\n");
  }
}

TEST_F(Stress, AKilledShimIsBuried) {
  box().run("sleep 1000");
  ASSERT_EQ(::kill(box().shim_pid(), SIGKILL), 0);
  expect_buried(137, "supervisor was killed");
}

TEST_F(Stress, BuryingTwiceOrTheDeadIsHarmless) {
  box().run("exit 4");
  ASSERT_TRUE(box().record.wait_exit());
  expect_buried(4, "");
  EXPECT_EQ(bury(box().run_dir())->code, 4);
}

TEST_F(Stress, AStuckShimDelaysOnlyItsOwnCallers) {
  box().run("sleep 1000");
  const int pid = box().shim_pid();
  ASSERT_EQ(::kill(pid, SIGSTOP), 0);
  shim().set_timeout(100ms);
  const auto state = shim().state();
  EXPECT_TRUE(state.failed_as(base::ErrorKind::Unavailable));
  ASSERT_EQ(::kill(pid, SIGCONT), 0);
  shim().set_timeout(10s);
  EXPECT_TRUE(shim().state());
}

#ifdef CAISSON_FAULTS
/// Where the shim dies, and the exit code that is on record afterwards.
class Crash : public Stress, public testing::WithParamInterface<std::pair<const char*, int>> {};
INSTANTIATE_TEST_SUITE_P(Points, Crash,
                         testing::Values(std::pair{"shim.cloned", 137}, std::pair{"shim.created", 137},
                                         std::pair{"shim.started", 137}, std::pair{"shim.exec_made", 137},
                                         std::pair{"shim.exited", 137}, std::pair{"shim.exit_recorded", 5}));

TEST_P(Crash, LeavesNothingAndAKnownExit) {
  const auto& [point, code] = GetParam();
  box().environment = {std::string{"CAISSON_CRASH_AT="} + point};
  box().options.open_stdin = true;
  box().launch("read x; exit 5");
  if (shim().wait_created() && shim().start()) {
    if (point == std::string_view{"shim.exec_made"}) {
      EXPECT_FALSE(shim().exec(box().make_exec("e", "sleep 1000"), {}));
    }
    base::ignore(shim().close_stdin(""), "it may be dead");
  }
  expect_buried(code, code == 137 ? "supervisor was killed" : "");
}

TEST_F(Stress, ADiskThatCantHoldASlowClientsOutputCostsTheClientOnly) {
  box().environment = {"CAISSON_FAULT=shim.spill:ENOSPC"};
  box().launch("seq 1 1000000");
  ASSERT_TRUE(shim().wait_created());
  Terminal slow;
  ASSERT_TRUE(shim().attach(slow.remote, {.out = true}));
  slow.remote.reset();
  ASSERT_TRUE(shim().start());
  EXPECT_EQ(box().record.wait_exit()->code, 0);
  EXPECT_EQ(box().log_text(), numbers(1, 1000000));
  EXPECT_TRUE(box().record.wait_lost()) << "nothing to wait for";
}

TEST_F(Stress, ALogDiskThatIsFullForAWhileLosesNothing) {
  box().environment = {"CAISSON_FAULT=logs.write:ENOSPC:3"};
  box().run("for i in 1 2 3 4 5 6; do echo $i; sleep 0.05; done");
  EXPECT_EQ(box().record.wait_exit()->code, 0);
  EXPECT_EQ(box().log_text(), numbers(1, 6));
}
#endif

TEST_F(Stress, OutOfMemoryIsTold) {
  box().memory_limit = "8388608";
  box().run("x=x; while :; do x=$x$x$x$x; done");
  const auto exit = box().record.wait_exit();
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->code, 137);
  EXPECT_TRUE(exit->oom_killed);
  EXPECT_TRUE(box().record.wait_oom());
}

}  // namespace
}  // namespace shim
