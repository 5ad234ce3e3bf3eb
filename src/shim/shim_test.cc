/// The shim as a daemon meets it, with each runtime that this host has.
#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include "base/strings.h"
#include "shim/test_container.h"
#include "sys/file.h"
#include "sys/mount.h"
#include "sys/namespace.h"
#include "sys/process.h"

namespace shim {
namespace {

using logs::Stream;
using testing::HasSubstr;
using namespace std::chrono_literals;

class Shim : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "containers need root";
    const std::string runtime = GetParam();
    if (!runtime.empty() && ::access(runtime.c_str(), X_OK) != 0) GTEST_SKIP() << runtime << " is not here";
    if (runtime.ends_with("crun")) hide_unified_hierarchy();
    box_.emplace(runtime);
  }
  void TearDown() override {
    box_.reset();
    if (mounts_) {
      EXPECT_TRUE(sys::enter_namespaces(mounts_.get(), CLONE_NEWNS));
    }
  }
  /// crun does not take a v2 hierarchy beside v1. It is hidden for this thread and what it starts.
  void hide_unified_hierarchy() {
    mounts_ = sys::open_at(sys::kCwd, "/proc/thread-self/ns/mnt", O_RDONLY).value();
    ASSERT_TRUE(sys::unshare_namespaces(CLONE_NEWNS));
    base::ignore(sys::unmount("/sys/fs/cgroup/unified", MNT_DETACH), "hosts with one version have none");
  }
  TestContainer& box() { return *box_; }
  Client& shim() { return **box_->daemon; }
  std::optional<TestContainer> box_;
  sys::UniqueFd mounts_;
};
std::string name_of_runtime(const testing::TestParamInfo<const char*>& info) {
  const std::string path = info.param;
  return path.empty() ? "builtin" : path.substr(path.rfind('/') + 1);
}
INSTANTIATE_TEST_SUITE_P(Runtimes, Shim, testing::Values("", "/usr/sbin/runc", "/usr/bin/crun"), name_of_runtime);

TEST_P(Shim, RunsToTheEnd) {
  box().launch("echo out; echo err >&2; exit 7");
  const auto cloned = shim().wait_cloned();
  ASSERT_TRUE(cloned) << cloned.error().message();
  EXPECT_GT(cloned->pid, 0);
  EXPECT_TRUE(cloned->netns.valid());
  ASSERT_TRUE(shim().wait_created());
  EXPECT_EQ(shim().state()->status, "created");
  ASSERT_TRUE(shim().start());
  const auto exit = box().record.wait_exit();
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->code, 7);
  EXPECT_EQ(exit->signal, 0);
  EXPECT_EQ(box().log_text(Stream::Stdout), "out\n");
  EXPECT_EQ(box().log_text(Stream::Stderr), "err\n");
  EXPECT_TRUE(box().record.wait_lost());
  EXPECT_EQ(read_exit(box().run_dir()).value()->code, 7);
  EXPECT_EQ(sys::read_file(sys::kCwd, box().run_dir() + "/shim.log").value(), "");
}

TEST_P(Shim, TellsSignals) {
  box().run("kill -SEGV $$; sleep 100");
  ASSERT_TRUE(shim().signal({.signal = SIGTERM}));  // init ignores what it has no handler for
  ASSERT_TRUE(shim().signal({.signal = SIGKILL}));
  const auto exit = box().record.wait_exit();
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->code, 137);
  EXPECT_EQ(exit->signal, SIGKILL);
}

TEST_P(Shim, AMissingProgramIs127) {
  box().launch_program({"/bin/no-such-program"});
  const auto created = shim().wait_created();
  base::Result<> result;
  if (!created) {
    result = created.error();
  } else if (const auto started = shim().start(); !started) {
    result = started.error();
  }
  ASSERT_FALSE(result);
  EXPECT_EQ(exit_code_of_failure(result.error()), 127) << result.error().message();
  EXPECT_TRUE(box().record.wait_lost());
  EXPECT_EQ(read_exit(box().run_dir()).value()->code, 127);
}

TEST_P(Shim, AFileThatIsNoProgramIs126) {
  ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, box().options.rootfs + "/bin/data", "x", 0644));
  box().launch_program({"/bin/data"});
  const auto created = shim().wait_created();
  base::Result<> result;
  if (!created) {
    result = created.error();
  } else if (const auto started = shim().start(); !started) {
    result = started.error();
  }
  ASSERT_FALSE(result);
  EXPECT_EQ(exit_code_of_failure(result.error()), 126) << result.error().message();
  EXPECT_TRUE(box().record.wait_lost());
}

TEST_P(Shim, AttachedClientsGetFramesAndGiveInput) {
  box().options.open_stdin = true;
  box().options.stdin_once = true;
  box().launch("cat; echo done >&2");
  ASSERT_TRUE(shim().wait_created());
  Terminal terminal;
  Attachment attachment{.in = true, .out = true, .err = true};
  attachment.already_read = base::base64("early ");
  ASSERT_TRUE(shim().attach(terminal.remote, attachment));
  terminal.remote.reset();
  ASSERT_TRUE(shim().start());
  terminal.send("bird\n");
  terminal.end_input();
  const auto [out, err] = unframe(terminal.read_all());
  EXPECT_EQ(out, "early bird\n");
  EXPECT_EQ(err, "done\n");
  // The client is told after the daemon.
  EXPECT_TRUE(box().record.wait_exit());
  EXPECT_EQ(box().log_text(), "early bird\n");
}

TEST_P(Shim, WithoutStdinOnceTheInputStaysOpen) {
  box().options.open_stdin = true;
  box().run("read a; echo got $a; read b; echo got $b");
  for (const std::string word : {"one", "two"}) {
    Terminal terminal;
    ASSERT_TRUE(shim().attach(terminal.remote, {.in = true}));
    terminal.remote.reset();
    terminal.send(word + "\n");
    terminal.end_input();
    // As docker: a client whose input has ended leaves.
    terminal.read_all();
  }
  EXPECT_EQ(box().record.wait_exit()->code, 0);
  EXPECT_EQ(box().log_text(), "got one\ngot two\n");
}

TEST_P(Shim, ATerminalIsRawHasASizeAndDetachKeys) {
  box().options.tty = true;
  box().options.open_stdin = true;
  box().options.rows = 33;
  box().options.columns = 99;
  box().launch("stty size; read x; stty size; echo =$x=; read y; exit 5");
  ASSERT_TRUE(shim().wait_created());
  Terminal terminal;
  ASSERT_TRUE(shim().attach(terminal.remote, {.in = true, .out = true, .err = true, .detach_keys = "ctrl-a,x"}));
  terminal.remote.reset();
  ASSERT_TRUE(shim().start());
  terminal.read_until("33 99\r\n");
  ASSERT_TRUE(shim().resize({.rows = 44, .columns = 111}));
  // A broken sequence belongs to the process.
  terminal.send("a\x01");
  terminal.send("b\n");
  terminal.read_until("44 111\r\n");
  terminal.read_until("=a\x01" "b=\r\n");
  terminal.send("\x01");
  terminal.send("x");
  terminal.read_all();
  EXPECT_TRUE(box().record.wait_detached(""));
  EXPECT_EQ(shim().state()->status, "running");
  Terminal again;
  ASSERT_TRUE(shim().attach(again.remote, {.in = true, .out = true}));
  again.remote.reset();
  again.send("\n");
  again.read_all();
  EXPECT_EQ(box().record.wait_exit()->code, 5);
}

TEST_P(Shim, ExecsRunBeside) {
  box().run("sleep 1000");
  Terminal terminal;
  Exec exec = box().make_exec("one", "read x; echo out $x; echo err >&2; exit 3");
  exec.open_stdin = true;
  exec.attachment = Attachment{.in = true, .out = true, .err = true};
  const auto made = shim().exec(exec, terminal.remote);
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_GT(made->pid, 0);
  terminal.remote.reset();
  Terminal tty;
  Exec second = box().make_exec("two", "tty; stty size; exit 4", true);
  second.process.set("consoleSize", codec::Json::object({{"height", 20}, {"width", 30}}));
  second.attachment = Attachment{.out = true};
  ASSERT_TRUE(shim().exec(second, tty.remote));
  tty.remote.reset();
  const std::string screen = tty.read_all();
  EXPECT_THAT(screen, HasSubstr("/dev/pts/"));
  EXPECT_EQ(box().record.wait_exec_exit("two")->code, 4);
  const auto state = shim().state();
  ASSERT_EQ(state->execs.size(), 2U);
  EXPECT_EQ(state->execs[0].id, "two") << "a daemon that knows of its end may not be the one that is asked";
  EXPECT_EQ(state->execs[0].exit->code, 4);
  EXPECT_EQ(state->execs[1].id, "one");
  EXPECT_FALSE(state->execs[1].exit);
  terminal.send("in\n");
  const auto [out, err] = unframe(terminal.read_all());
  EXPECT_EQ(out, "out in\n");
  EXPECT_EQ(err, "err\n");
  EXPECT_EQ(box().record.wait_exec_exit("one")->code, 3);
  EXPECT_EQ(box().log_text(), "") << "execs are not logged";
  const auto missing = shim().exec(box().make_exec("no", ""), {});
  EXPECT_TRUE(missing);
  Exec nothing = box().make_exec("three", "");
  nothing.process.set("args", codec::Json::array({"/no/such"}));
  const auto failed = shim().exec(nothing, {});
  ASSERT_FALSE(failed);
  EXPECT_EQ(exit_code_of_failure(failed.error()), 127) << failed.error().message();
}

TEST_P(Shim, PausedContainersAreKilledAndAnswer) {
  box().run("while :; do echo x; sleep 0.01; done");
  ASSERT_TRUE(shim().pause());
  EXPECT_EQ(shim().state()->status, "paused");
  EXPECT_FALSE(shim().exec(box().make_exec("x", "true"), {}));
  ASSERT_TRUE(shim().resume());
  EXPECT_EQ(shim().state()->status, "running");
  EXPECT_GE(shim().processes()->size(), 1U);
  ASSERT_TRUE(shim().pause());
  const auto killed = shim().signal({.signal = SIGKILL});
  ASSERT_TRUE(killed) << killed.error().message();
  EXPECT_EQ(box().record.wait_exit()->code, 137);
}

TEST_P(Shim, AnUnstartedContainerCanBeDropped) {
  box().launch("echo never");
  ASSERT_TRUE(shim().wait_created());
  ASSERT_TRUE(shim().shutdown());
  EXPECT_TRUE(box().record.wait_lost());
  EXPECT_EQ(box().log_text(), "");
  EXPECT_FALSE(sys::exists(sys::kCwd, box().options.runtime_root + "/" + box().options.id).value());
}

TEST_P(Shim, TheNextDaemonFindsEverything) {
  box().options.open_stdin = true;
  box().run("read x; exit 9");
  ASSERT_TRUE(shim().exec(box().make_exec("ended", "exit 6"), {}));
  ASSERT_TRUE(box().record.wait_exec_exit("ended"));
  ASSERT_TRUE(shim().exec(box().make_exec("late", "sleep 0.3; exit 8"), {}));
  box().forget_daemon();
  std::this_thread::sleep_for(600ms);
  EXPECT_EQ(read_exec_exits(box().run_dir()).value().at("late").code, 8);
  box().adopt();
  const auto state = shim().state();
  ASSERT_TRUE(state);
  EXPECT_EQ(state->status, "running");
  EXPECT_EQ(state->protocol, kProtocolVersion);
  EXPECT_EQ(state->shim_pid, box().shim_pid());
  ASSERT_EQ(state->execs.size(), 2U);
  EXPECT_EQ(state->execs[0].exit->code, 6) << "the one that the daemon before knew";
  EXPECT_EQ(state->execs[1].exit->code, 8);
  Terminal terminal;
  ASSERT_TRUE(shim().attach(terminal.remote, {.in = true, .out = true}));
  terminal.remote.reset();
  terminal.send("go\n");
  EXPECT_EQ(box().record.wait_exit()->code, 9);
}

TEST_P(Shim, AnExitWithoutDaemonIsOnRecord) {
  box().options.open_stdin = true;
  box().run("sleep 0.2; echo last words; exit 11");
  const int shim_pid = box().shim_pid();
  box().forget_daemon();
  const auto process = sys::Process::open(shim_pid);
  ASSERT_TRUE(process);
  EXPECT_TRUE(sys::poll_readable(process->pidfd(), 20s));
  Record record;
  const auto client = Client::adopt(box().run_dir(), record);
  EXPECT_TRUE(client.failed_as(base::ErrorKind::NotFound));
  EXPECT_EQ(read_exit(box().run_dir()).value()->code, 11);
  EXPECT_EQ(box().log_text(), "last words\n");
}

TEST_P(Shim, RunsAgainInTheSamePlaceAtOnce) {
  for (int i = 1; i <= 5; ++i) {
    box().run("echo " + std::to_string(i) + "; exit " + std::to_string(i));
    // Not even the shim has left by now: what it tells is true already.
    ASSERT_EQ(box().record.wait_exit()->code, i);
    box().forget_daemon();
    box().record.reset();
  }
  EXPECT_EQ(box().log_text(), "1\n2\n3\n4\n5\n");
}

TEST_P(Shim, IsNotLaunchedWhereOneIsAtWork) {
  box().run("sleep 1000");
  Launch again;
  again.program = "/bin/false";
  again.dir = box().run_dir();
  again.options = box().options;
  Record record;
  EXPECT_TRUE(Client::launch(again, record).failed_as(base::ErrorKind::Conflict));
  EXPECT_EQ(shim().state()->status, "running");
}

TEST_P(Shim, ProgramsBeginWithCleanSignalsAndNoForeignDescriptors) {
  box().launch_program({"/bin/busybox", "sleep", "1000"});
  ASSERT_TRUE(shim().wait_created());
  ASSERT_TRUE(shim().start());
  Terminal terminal;
  Exec exec = box().make_exec("x", "/bin/busybox grep -hE 'Sig(Blk|Ign)' /proc/1/status /proc/self/status;"
                                   "/bin/busybox ls /proc/1/fd");
  exec.attachment = Attachment{.out = true, .err = true};
  ASSERT_TRUE(shim().exec(exec, terminal.remote));
  terminal.remote.reset();
  const std::string zero = "0000000000000000\n";
  EXPECT_EQ(unframe(terminal.read_all()).first,
            "SigBlk:\t" + zero + "SigIgn:\t" + zero + "SigBlk:\t" + zero + "SigIgn:\t" + zero + "0\n1\n2\n");
}

TEST_P(Shim, AnotherUserMayOpenItsStreamsAgain) {
  box().user = 1000;
  box().options.tty = false;
  box().run("echo a > /proc/self/fd/1; echo b > /proc/self/fd/2; id -u");
  EXPECT_EQ(box().record.wait_exit()->code, 0);
  EXPECT_EQ(box().log_text(), "a\n1000\n");
  EXPECT_EQ(box().log_text(Stream::Stderr), "b\n");
}

}  // namespace
}  // namespace shim
