#include "runtime/test_bundle.h"

#include <algorithm>
#include <csignal>

#include "base/strings.h"

namespace runtime {
namespace {

using base::ErrorKind;

class ExecTest : public BundleTest {};

TEST_F(ExecTest, RunsInTheContainersNamespacesAndCgroups) {
  auto container = sleeping();
  const auto said = exec(container, "hostname; cat /proc/1/cmdline; echo; cat /proc/self/cgroup; readlink /proc/self/ns/net; exit 5");
  ASSERT_SAID(said);
  EXPECT_EQ(said->status, 5);
  EXPECT_NE(said->out.find("box\nsleep"), std::string::npos) << said->out;
  const std::string ns = "/proc/" + std::to_string(container.pid()) + "/ns/net";
  EXPECT_NE(said->out.find(sys::read_link(sys::kCwd, ns).value()), std::string::npos);
  const auto group = container.cgroup().value();
  std::size_t inside = 0;
  for (std::size_t at = 0; (at = said->out.find(cgroup_ + "/c\n", at)) != std::string::npos; ++at) ++inside;
  EXPECT_EQ(inside, group->directories().size()) << said->out;
}

TEST_F(ExecTest, TakesItsOwnIdentityAndTheContainersFilter) {
  auto wanted = spec("");
  auto& seccomp = wanted.linux_section->seccomp.emplace();
  seccomp.default_action = "SCMP_ACT_ALLOW";
  seccomp.syscalls = {{{"mkdir", "mkdirat"}, "SCMP_ACT_ERRNO", 13, {}}};
  auto container = sleeping(wanted);
  auto process = *spec("id; pwd; echo $X $HOME; cat /proc/self/status; mkdir /tmp/a; ls /proc/self/fd").process;
  process.user.uid = 1000;
  process.user.gid = 1000;
  process.user.additional_gids = {44};
  process.cwd = "/tmp";
  process.env.emplace_back("X=y");
  process.no_new_privileges = true;
  process.rlimits = {{"RLIMIT_NOFILE", 64, 64}};
  const auto said = exec(container, process);
  ASSERT_SAID(said);
  EXPECT_NE(said->out.find("uid=1000 gid=1000 groups=44"), std::string::npos) << said->out;
  EXPECT_NE(said->out.find("/tmp\ny /\n"), std::string::npos) << said->out;
  for (const char* line : {"CapEff:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2", "CapBnd:\t00000000a80425fb"}) {
    EXPECT_NE(said->out.find(line), std::string::npos) << line;
  }
  EXPECT_TRUE(said->out.ends_with("\n0\n1\n2\n3\n")) << said->out;
  EXPECT_NE(said->err.find("Permission denied"), std::string::npos) << said->err;
}

TEST_F(ExecTest, IsNotHeldUpByWhoStopsTheNewProcess) {
  auto container = sleeping();
  Pipes ends = pipes();
  ExecOptions with;
  with.stdio = stdio(ends);
  // To all but itself and init, all the time.
  const auto attacker = container.exec(*spec("echo; while :; do kill -STOP -- -1; done").process, std::move(with));
  ASSERT_TRUE(attacker) << attacker.error().message();
  ASSERT_TRUE(sys::poll_readable(ends.out.read.get(), std::chrono::seconds{10}));
  bool held_up = false;
  for (int i = 0; i < 100 && !held_up; ++i) {
    Pipes unused = pipes();
    ExecOptions patient;
    patient.stdio = stdio(unused);
    patient.patience = std::chrono::milliseconds{200};
    const auto handle = container.exec(*spec("true").process, std::move(patient));
    held_up = !handle && handle.error().message().find("was not executed within 200 ms") != std::string::npos;
    if (!handle) continue;
    ASSERT_TRUE(handle->process.signal(SIGKILL));
    ASSERT_TRUE(handle->process.wait());
  }
  EXPECT_TRUE(held_up) << "the attack was never made";
  // Before its PID namespace: that ends only once all in it have been reaped, this one by us.
  ASSERT_TRUE(attacker->process.signal(SIGKILL));
  ASSERT_TRUE(attacker->process.wait());
}

TEST_F(ExecTest, FailuresOfTheProgramAreToldApart) {
  auto container = sleeping();
  const std::string prefix = "exec failed: unable to start container process: exec: ";
  auto process = *spec("").process;
  process.args = {"nope"};
  auto failed = container.exec(process, {});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind(), ErrorKind::NotFound);
  EXPECT_EQ(failed.error().message(), prefix + "\"nope\": executable file not found in $PATH");
  process.args = {"/etc"};
  failed = container.exec(process, {});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind(), ErrorKind::PermissionDenied);
  ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, rootfs() + "/garbage", "\x7f nonsense", 0755));
  process.args = {"/garbage"};
  failed = container.exec(process, {});
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().message().find("exec /garbage: exec format error"), std::string::npos);
  process.args = {"true"};
  process.cwd = "/nowhere";
  failed = container.exec(process, {});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind(), ErrorKind::Internal);
  EXPECT_NE(failed.error().message().find("chdir to cwd (\"/nowhere\")"), std::string::npos) << failed.error().message();
  // Neither helper nor process stays.
  EXPECT_EQ(container.processes()->size(), 1U);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), 0);

  ASSERT_TRUE(container.kill(SIGKILL));
  ASSERT_TRUE(container.wait());
  process.cwd = "/";
  EXPECT_TRUE(container.exec(process, {}).failed_as(ErrorKind::Conflict));
}

TEST_F(ExecTest, GivesATerminal) {
  auto container = sleeping();
  auto process = *spec("tty; stty size; echo in:$(head -n 1)").process;
  process.terminal = true;
  process.console_size = spec::oci::ConsoleSize{12, 34};
  ExecOptions with;
  pid_t told = 0;
  const auto on_namespaces = [&](pid_t pid, int) -> base::Result<> {
    told = pid;
    return {};
  };
  with.on_namespaces = on_namespaces;
  auto handle = container.exec(process, std::move(with));
  ASSERT_TRUE(handle) << handle.error().message();
  EXPECT_EQ(handle->process.pid(), told);
  ASSERT_TRUE(sys::write_all(handle->pty_master.get(), "typed\n"));
  std::string text;
  char buffer[4096];
  while (const auto count = sys::read_some(handle->pty_master.get(), buffer)) text.append(buffer, *count);
  // The echo of what was typed may come in between.
  EXPECT_NE(text.find("/dev/pts/0\r\n"), std::string::npos) << text;
  EXPECT_NE(text.find("12 34\r\n"), std::string::npos) << text;
  EXPECT_NE(text.find("in:typed"), std::string::npos) << text;
  EXPECT_EQ(handle->process.wait()->shell_code(), 0);
}

TEST_F(ExecTest, FitsIntoATightProcessLimit) {
  auto wanted = spec("");
  wanted.linux_section->resources->pids.emplace().limit = 2;
  auto container = sleeping(wanted);
  const auto host = cgroup::Host::detect().value();
  auto process = *spec("").process;
  process.args = {"true"};
  const auto said = exec(container, process);
  if (host.v2_only() && !said) GTEST_SKIP() << "v2 counts the helper for a moment";
  ASSERT_SAID(said);
  EXPECT_EQ(said->status, 0);
}

TEST_F(ExecTest, LimitsAreUpdatedAndReported) {
  auto wanted = spec("");
  wanted.linux_section->resources->memory.emplace().limit = 64 << 20;
  wanted.linux_section->resources->pids.emplace().limit = 50;
  auto container = sleeping(wanted);
  auto* group = container.cgroup().value();
  EXPECT_EQ(group->stats()->memory.limit, 64U << 20U);
  EXPECT_EQ(group->stats()->pids.limit, 50U);
  spec::oci::Resources more;
  more.memory.emplace().limit = 96 << 20;
  more.pids.emplace().limit = -1;
  ASSERT_TRUE(container.update(more));
  EXPECT_EQ(group->stats()->memory.limit, 96U << 20U);
  EXPECT_EQ(group->stats()->pids.limit, 0U);
  // Its devices are what they were.
  const auto said = exec(container, "echo x > /dev/null; head -c 1 /dev/zero | wc -c");
  ASSERT_SAID(said);
  EXPECT_EQ(said->out, "1\n") << said->err;
}

TEST_F(ExecTest, OutOfMemoryIsTold) {
  auto wanted = spec("");
  wanted.linux_section->resources->memory.emplace().limit = 16 << 20;
  wanted.linux_section->resources->memory->swap = 16 << 20;
  auto container = sleeping(wanted);
  auto watch = container.cgroup().value()->watch_oom();
  ASSERT_TRUE(watch) << watch.error().message();
  const auto said = exec(container, "dd if=/dev/zero of=/dev/null bs=64M count=1");
  ASSERT_SAID(said);
  EXPECT_EQ(said->status, 128 + SIGKILL);
  EXPECT_TRUE(sys::poll_readable(watch->fd(), std::chrono::seconds{5}));
  EXPECT_EQ(watch->kills().value(), 1U);
}

TEST_F(ExecTest, KillsAllWithoutAPidNamespace) {
  auto wanted = spec("");
  std::erase_if(wanted.linux_section->namespaces, [](const auto& one) { return one.type == "pid"; });
  auto container = sleeping(wanted);
  ExecOptions with;
  auto process = *spec("").process;
  process.args = {"sleep", "1000"};
  auto handle = container.exec(process, std::move(with));
  ASSERT_TRUE(handle) << handle.error().message();
  EXPECT_EQ(container.processes()->size(), 2U);
  // Only what kills is for all of them.
  ASSERT_TRUE(container.kill(SIGTERM));
  ASSERT_TRUE(container.wait());
  EXPECT_TRUE(handle->process.alive());
  ASSERT_TRUE(container.destroy());
  EXPECT_EQ(handle->process.wait()->signal(), SIGKILL);
}

}  // namespace
}  // namespace runtime
