/// Containers in the PID namespace of others, see detail/shared_pid.h. What they must not see there:
/// tests/oci/escapes.

#include <cstdlib>

#include "base/strings.h"
#include "runtime/test_bundle.h"

namespace runtime {
namespace {

class SharedPidTest : public BundleTest {
 protected:
  static std::string pid_namespace(pid_t pid) {
    return sys::read_link(sys::kCwd, "/proc/" + std::to_string(pid) + "/ns/pid").value();
  }
  [[nodiscard]] spec::oci::Spec beside(const Container& other, const std::string& command) const {
    auto wanted = spec(command);
    wanted.linux_section->cgroups_path = cgroup_ + "/d";
    for (auto& one : wanted.linux_section->namespaces) {
      if (one.type == "pid") one.path = "/proc/" + std::to_string(other.state().pid) + "/ns/pid";
    }
    return wanted;
  }
  /// Both are there, and what the one sees is the namespace of the other.
  void expect_shared() {
    Container first = sleeping();
    const auto said = run(beside(first,
                                 "readlink /proc/self/ns/pid; head -c 5 /proc/1/cmdline; echo; test $$ -ne 1 "
                                 "&& grep -c ' /proc ' /proc/mounts; echo x > /proc/sys/kernel/hostname"),
                          options("d"));
    ASSERT_SAID(said);
    EXPECT_EQ(said->out, pid_namespace(first.state().pid) + "\nsleep\n1\n") << said->err;
    EXPECT_NE(said->err.find("Read-only"), std::string::npos) << said->err;
    ASSERT_TRUE(first.destroy(true));
  }
};

TEST_F(SharedPidTest, RunsInTheOthersNamespace) { expect_shared(); }

#ifdef CAISSON_FAULTS
TEST_F(SharedPidTest, WithoutTheMountOptionTheOthersProcfsIsCopied) {
  ::setenv("CAISSON_FAULT", "runtime.procfs.option:EINVAL", 1);
  expect_shared();
  ::unsetenv("CAISSON_FAULT");
}

TEST_F(SharedPidTest, WhereNoProcfsIsToBeHadInitIsInside) {
  ::setenv("CAISSON_FAULT", "runtime.procfs.option:EINVAL", 1);
  // A directory that is no procfs of that namespace: the other container has none.
  auto without = spec("");
  std::erase_if(without.mounts, [](const auto& one) { return one.destination == "/proc"; });
  without.linux_section->masked_paths.clear();
  without.linux_section->readonly_paths.clear();
  Container first = sleeping(without);
  const auto said = run(beside(first, "readlink /proc/self/ns/pid"), options("d"));
  ::unsetenv("CAISSON_FAULT");
  ASSERT_SAID(said);
  EXPECT_EQ(said->out, pid_namespace(first.state().pid) + "\n") << said->err;
  ASSERT_TRUE(first.destroy(true));
}
#endif

TEST_F(SharedPidTest, WhatIsRecordedIsTheProcessInside) {
  Container first = sleeping();
  CreateOptions with = options("d");
  with.pid_file = root_ + "/pid";
  pid_t told = 0;
  const auto on_process = [&](pid_t pid, int pidfd) -> base::Result<> {
    told = pid;
    EXPECT_GE(pidfd, 0);
    return {};
  };
  with.on_process = on_process;
  auto made = Container::create(beside(first, "sleep 1000"), std::move(with));
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_EQ(told, made->state().pid);
  EXPECT_EQ(sys::read_file(sys::kCwd, root_ + "/pid").value(), std::to_string(told));
  EXPECT_EQ(pid_namespace(told), pid_namespace(first.state().pid));
  auto container = Container::load(state_root(), "d");
  ASSERT_TRUE(container);
  EXPECT_EQ(container->state().status, Status::Created);
  EXPECT_EQ(container->processes().value(), std::vector<pid_t>{told});
  ASSERT_TRUE(container->start());
  EXPECT_EQ(container->state().status, Status::Running);
  const auto said = exec(*container, "readlink /proc/self/ns/pid");
  ASSERT_SAID(said);
  EXPECT_EQ(said->out, pid_namespace(first.state().pid) + "\n");
  ASSERT_TRUE(made->destroy(true));
  EXPECT_EQ(first.state().status, Status::Running) << "it did not take the namespace along";
  ASSERT_TRUE(first.destroy(true));
}

TEST_F(SharedPidTest, HasATerminalAndItsFilter) {
  Container first = sleeping();
  auto wanted = beside(first, "tty; mkdir /tmp/x 2>/dev/null || echo denied");
  wanted.process->terminal = true;
  auto& seccomp = wanted.linux_section->seccomp.emplace();
  seccomp.default_action = "SCMP_ACT_ALLOW";
  seccomp.syscalls = {{{"mkdir", "mkdirat"}, "SCMP_ACT_ERRNO", {}, {}}};
  CreateOptions with = options("d");
  with.start_at_once = true;
  auto container = Container::create(wanted, std::move(with));
  ASSERT_TRUE(container) << container.error().message();
  const sys::UniqueFd master = container->take_pty_master();
  std::string text;
  char buffer[4096];
  while (const auto count = sys::read_some(master.get(), buffer)) text.append(buffer, *count);
  EXPECT_EQ(text, "/dev/pts/0\r\ndenied\r\n");
  ASSERT_TRUE(container->wait());
  ASSERT_TRUE(container->destroy());
  ASSERT_TRUE(first.destroy(true));
}

TEST_F(SharedPidTest, AFailureLeavesNothing) {
  Container first = sleeping();
  auto wanted = beside(first, "");
  wanted.process->args = {"no-such-program"};
  auto said = run(wanted, options("d"));
  EXPECT_TRUE(said.failed_as(base::ErrorKind::NotFound));
  // After the fork, when what set it up is gone.
  wanted = beside(first, "true");
  CreateOptions with = options("d");
  const auto refuse = [](pid_t, int) -> base::Result<> { return base::internal("refused"); };
  with.on_process = refuse;
  EXPECT_FALSE(Container::create(wanted, std::move(with)));
  wanted.linux_section->resources->pids = spec::oci::PidsResources{1};
  said = run(wanted, options("d"));
  ASSERT_FALSE(said) << "two processes are needed for a moment";
  EXPECT_NE(said.error().message().find("fork"), std::string::npos) << said.error().message();
  ASSERT_TRUE(first.destroy(true));
  expect_nothing_left();
}

}  // namespace
}  // namespace runtime
