#include "runtime/test_bundle.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>

#include "sys/node.h"

namespace runtime {
namespace {

using base::ErrorKind;

class LifecycleTest : public BundleTest {};

TEST_F(LifecycleTest, RunsAProgramToItsEnd) {
  const auto said = run("echo hello; echo oops >&2; hostname; echo $$; exit 7");
  ASSERT_SAID(said);
  EXPECT_EQ(said->out, "hello\nbox\n1\n");
  EXPECT_EQ(said->err, "oops\n");
  EXPECT_EQ(said->status, 7);
  expect_nothing_left();
}

TEST_F(LifecycleTest, GoesThroughItsStates) {
  auto ends = pipes();
  CreateOptions with = options();
  with.stdio = stdio(ends);
  with.pid_file = root_ + "/pid";
  pid_t told = 0;
  const auto on_namespaces = [&](pid_t pid, int pidfd) -> base::Result<> {
    told = pid;
    EXPECT_GE(pidfd, 0);
    // The namespaces are the container's own by now.
    EXPECT_NE(sys::read_link(sys::kCwd, "/proc/" + std::to_string(pid) + "/ns/net").value(),
              sys::read_link(sys::kCwd, "/proc/self/ns/net").value());
    return {};
  };
  with.on_namespaces = on_namespaces;
  auto container = Container::create(spec("echo ran; sleep 1000"), std::move(with));
  ASSERT_TRUE(container) << container.error().message();
  EXPECT_EQ(told, container->pid());
  EXPECT_EQ(sys::read_file(sys::kCwd, root_ + "/pid").value(), std::to_string(told));
  EXPECT_EQ(container->state().status, Status::Created);
  EXPECT_FALSE(sys::poll_readable(ends.out.read.get(), std::chrono::milliseconds{20})) << "it ran before start";
  EXPECT_TRUE(container->destroy().failed_as(ErrorKind::Conflict));

  // Everything from here on by another handle, as another process has it.
  auto other = Container::load(state_root(), "c");
  ASSERT_TRUE(other) << other.error().message();
  EXPECT_EQ(other->state().status, Status::Created);
  ASSERT_TRUE(other->start());
  EXPECT_TRUE(other->start().failed_as(ErrorKind::Conflict));
  EXPECT_TRUE(container->start().failed_as(ErrorKind::Conflict));
  std::string line(4, '\0');
  EXPECT_EQ(sys::read_some(ends.out.read.get(), line).value(), 4U);
  EXPECT_EQ(line, "ran\n");
  EXPECT_EQ(other->state().status, Status::Running);
  EXPECT_EQ(other->state().pid, told);
  const auto listed = Container::list(state_root()).value();
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].id, "c");
  EXPECT_TRUE(Container::create(spec("true"), options()).failed_as(ErrorKind::Conflict));

  ASSERT_TRUE(other->pause());
  EXPECT_EQ(other->state().status, Status::Paused);
  EXPECT_TRUE(other->exec(*spec("true").process, {}).failed_as(ErrorKind::Conflict));
  ASSERT_TRUE(other->resume());
  EXPECT_TRUE(other->resume().failed_as(ErrorKind::Conflict));

  ASSERT_TRUE(other->kill(SIGKILL));
  EXPECT_EQ(container->wait()->signal(), SIGKILL);
  EXPECT_EQ(other->state().status, Status::Stopped);
  EXPECT_EQ(other->state().pid, 0);
  EXPECT_TRUE(other->kill(SIGTERM).failed_as(ErrorKind::Conflict));
  ASSERT_TRUE(other->destroy());
  EXPECT_TRUE(Container::load(state_root(), "c").failed_as(ErrorKind::NotFound));
  expect_nothing_left();
}

TEST_F(LifecycleTest, KillsAPausedContainer) {
  auto container = sleeping();
  ASSERT_TRUE(container.pause());
  ASSERT_TRUE(container.destroy(true));
  expect_nothing_left();
}

TEST_F(LifecycleTest, AnotherProcessWithItsPidIsNotTheContainer) {
  auto container = sleeping();
  State state = read_state(state_directory(state_root(), "c")).value();
  state.pid = ::getpid();
  ASSERT_TRUE(write_state(state_directory(state_root(), "c"), state));
  auto other = Container::load(state_root(), "c");
  EXPECT_EQ(other->state().status, Status::Stopped);
  EXPECT_FALSE(other->kill(SIGTERM));
  ASSERT_TRUE(container.kill(SIGKILL));
  ASSERT_TRUE(container.wait());
}

TEST_F(LifecycleTest, FailuresOfTheProgramAreToldApart) {
  struct Case {
    std::vector<std::string> args;
    ErrorKind kind;
    std::string message;
  };
  ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, rootfs() + "/plain", "x", 0644));
  ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, rootfs() + "/private", "#!/bin/sh\n", 0700));
  const std::string prefix = "unable to start container process: exec: ";
  const std::vector<Case> cases{
      {{"nope"}, ErrorKind::NotFound, prefix + "\"nope\": executable file not found in $PATH"},
      {{"/no/pe"}, ErrorKind::NotFound, prefix + "\"/no/pe\": stat /no/pe: no such file or directory"},
      {{"/plain"}, ErrorKind::PermissionDenied, prefix + "\"/plain\": permission denied"},
      {{"/bin"}, ErrorKind::PermissionDenied, prefix + "\"/bin\": is a directory: permission denied"},
      {{""}, ErrorKind::NotFound, prefix + "\"\": executable file not found in $PATH"},
  };
  for (const auto& one : cases) {
    auto wanted = spec("");
    wanted.process->args = one.args;
    for (const bool at_once : {true, false}) {
      CreateOptions with = options();
      with.start_at_once = at_once;
      const auto failed = Container::create(wanted, std::move(with));
      ASSERT_FALSE(failed);
      EXPECT_EQ(failed.error().kind(), one.kind);
      EXPECT_EQ(failed.error().message(), one.message);
    }
    expect_nothing_left();
  }
  auto wanted = spec("");
  wanted.process->args = {"/private"};
  wanted.process->user.uid = 1000;
  wanted.process->capabilities.reset();
  EXPECT_TRUE(Container::create(wanted, options()).failed_as(ErrorKind::PermissionDenied));
  // Root without the capability to pass over permissions is held to them, too.
  ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, rootfs() + "/theirs", "#!/bin/sh\n", 0700));
  ASSERT_TRUE(sys::set_owner_at(sys::open_dir(sys::kCwd, rootfs())->get(), "theirs", 1000, 1000));
  wanted = spec("");
  wanted.process->args = {"/theirs"};
  wanted.process->capabilities.reset();
  EXPECT_TRUE(Container::create(wanted, options()).failed_as(ErrorKind::PermissionDenied));
}

TEST_F(LifecycleTest, AnExecThatFailsInTheKernelIsReported) {
  ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, rootfs() + "/garbage", "\x7f nonsense", 0755));
  ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, rootfs() + "/orphan", "#!/no/such/interpreter\n", 0755));
  auto wanted = spec("");
  wanted.process->args = {"/garbage"};
  CreateOptions with = options();
  with.start_at_once = true;
  const auto failed = Container::create(wanted, std::move(with));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message(), "unable to start container process: exec /garbage: exec format error");
  EXPECT_EQ(failed.error().kind(), ErrorKind::Internal);
  expect_nothing_left();

  wanted.process->args = {"/orphan"};
  auto created = Container::create(wanted, options());
  ASSERT_TRUE(created) << created.error().message();
  const auto started = created->start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().message(), "exec /orphan: no such file or directory");
  EXPECT_EQ(started.error().kind(), ErrorKind::NotFound);
  EXPECT_NE(created->wait()->shell_code(), 0);
  ASSERT_TRUE(created->destroy());
}

TEST_F(LifecycleTest, AWrongConfigurationIsNeverTheProgramsFault) {
  struct Case {
    const char* what;
    void (*change)(spec::oci::Spec&);
  };
  const std::vector<Case> cases{
      {"root", [](spec::oci::Spec& s) { s.root->path = "/no/such/root"; }},
      {"bind", [](spec::oci::Spec& s) { s.mounts.push_back({"/x", "bind", "/no/such/source", {"rbind"}, {}, {}}); }},
      {"option", [](spec::oci::Spec& s) { s.mounts.push_back({"/x", "tmpfs", "tmpfs", {"sizes=1"}, {}, {}}); }},
      {"type", [](spec::oci::Spec& s) { s.mounts.push_back({"/x", "nofs", "nofs", {}, {}, {}}); }},
      {"cwd", [](spec::oci::Spec& s) { s.process->cwd = "relative"; }},
      {"cwd file", [](spec::oci::Spec& s) { s.process->cwd = "/bin/busybox"; }},
      {"sysctl", [](spec::oci::Spec& s) { s.linux_section->sysctl["vm.swappiness"] = "1"; }},
      {"sysctl path", [](spec::oci::Spec& s) { s.linux_section->sysctl["net.../kernel/hostname"] = "1"; }},
      {"rlimit", [](spec::oci::Spec& s) { s.process->rlimits.push_back({"RLIMIT_SPEED", 1, 1}); }},
      {"seccomp", [](spec::oci::Spec& s) { s.linux_section->seccomp.emplace().default_action = "SCMP_ACT_HUG"; }},
      {"namespace", [](spec::oci::Spec& s) { s.linux_section->namespaces.push_back({"space", {}}); }},
      {"namespace twice", [](spec::oci::Spec& s) { s.linux_section->namespaces.push_back({"pid", {}}); }},
      {"namespace type", [](spec::oci::Spec& s) { s.linux_section->namespaces[1].path = "/proc/self/ns/uts"; }},
      {"cgroup", [](spec::oci::Spec& s) { s.linux_section->cgroups_path = "/../../x"; }},
      {"no args", [](spec::oci::Spec& s) { s.process->args.clear(); }},
      {"device", [](spec::oci::Spec& s) { s.linux_section->devices.push_back({"z", "/dev/z", 1, 1, {}, {}, {}}); }},
      {"effective", [](spec::oci::Spec& s) { s.process->capabilities->permitted.clear(); }},
  };
  for (const auto& one : cases) {
    auto wanted = spec("true");
    one.change(wanted);
    const auto failed = Container::create(wanted, options());
    ASSERT_FALSE(failed) << one.what;
    EXPECT_FALSE(failed.error().is(ErrorKind::NotFound)) << one.what << ": " << failed.error().message();
    EXPECT_FALSE(failed.error().is(ErrorKind::PermissionDenied)) << one.what << ": " << failed.error().message();
    expect_nothing_left();
  }
  CreateOptions with = options("../up");
  EXPECT_TRUE(Container::create(spec("true"), std::move(with)).failed_as(ErrorKind::InvalidArgument));
}

TEST_F(LifecycleTest, AFailingCallerOrCallLeavesNothing) {
  CreateOptions with = options();
  const auto refuse = [](pid_t, int) -> base::Result<> { return base::unavailable("no network"); };
  with.on_namespaces = refuse;
  const auto failed = Container::create(spec("true"), std::move(with));
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().message().find("no network"), std::string::npos) << failed.error().message();
  expect_nothing_left();
#ifdef CAISSON_FAULTS
  ::setenv("CAISSON_FAULT", "runtime.create.prepare:ENOSPC", 1);
  EXPECT_FALSE(Container::create(spec("true"), options()));
  ::unsetenv("CAISSON_FAULT");
  expect_nothing_left();
#endif
}

TEST_F(LifecycleTest, AContainerTooSmallForItsInitSaysSo) {
  auto wanted = spec("true");
  wanted.linux_section->resources->memory.emplace().limit = 64 * 1024;
  wanted.linux_section->resources->memory->swap = 64 * 1024;
  const auto failed = run(wanted);
  if (failed) {
    EXPECT_EQ(failed->status, 128 + SIGKILL);
  } else {
    EXPECT_NE(failed.error().message().find("memory limit too low"), std::string::npos) << failed.error().message();
  }
}

TEST_F(LifecycleTest, HooksRunInOrderWithTheState) {
  const std::string log = root_ + "/log";
  const auto hook = [&](const std::string& name) {
    return spec::oci::Hook{"/bin/sh", {"sh", "-c", "read -r line; echo \"$NAME $line\" >> " + log}, {"NAME=" + name}, {}};
  };
  auto wanted = spec("echo program >> /log");
  auto& hooks = wanted.hooks.emplace();
  hooks.prestart = {hook("prestart")};
  hooks.create_runtime = {hook("createRuntime")};
  hooks.create_container = {hook("createContainer")};
  // This one runs in the container's root.
  hooks.start_container = {{"/bin/sh", {"sh", "-c", "read -r line; echo \"startContainer $line\" > /started"}, {}, {}}};
  hooks.poststart = {hook("poststart")};
  hooks.poststop = {hook("poststop")};
  auto container = Container::create(wanted, options());
  ASSERT_TRUE(container) << container.error().message();
  EXPECT_FALSE(sys::exists(sys::kCwd, rootfs() + "/started").value());
  ASSERT_TRUE(container->start());
  ASSERT_TRUE(container->wait());
  ASSERT_TRUE(container->destroy());
  const std::string text = sys::read_file(sys::kCwd, log).value();
  std::size_t at = 0;
  for (const char* name : {"prestart {", "createRuntime {", "createContainer {", "poststart {", "poststop {"}) {
    const auto found = text.find(name, at);
    ASSERT_NE(found, std::string::npos) << name << " in " << text;
    at = found;
  }
  EXPECT_NE(text.find("\"status\":\"creating\""), std::string::npos);
  EXPECT_NE(text.find("\"status\":\"running\""), std::string::npos);
  EXPECT_NE(text.find("\"status\":\"stopped\""), std::string::npos);
  EXPECT_NE(text.find("\"pid\":" + std::to_string(container->pid())), std::string::npos);
  const std::string started = sys::read_file(sys::kCwd, rootfs() + "/started").value();
  EXPECT_NE(started.find("\"pid\":1"), std::string::npos) << started;
  EXPECT_NE(started.find("\"id\":\"c\""), std::string::npos) << started;
}

TEST_F(LifecycleTest, AHookThatFailsOrHangsAborts) {
  auto wanted = spec("true");
  wanted.hooks.emplace().create_runtime = {{"/bin/sh", {"sh", "-c", "echo why >&2; exit 3"}, {}, {}}};
  const auto failed = Container::create(wanted, options());
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().message().find("error running createRuntime hook #0: exit status 3, output: why"),
            std::string::npos)
      << failed.error().message();
  expect_nothing_left();

  wanted.hooks.emplace().create_container = {{"/bin/sleep", {"sleep", "100"}, {}, 1}};
  const auto hung = Container::create(wanted, options());
  ASSERT_FALSE(hung);
  EXPECT_NE(hung.error().message().find("timeout of 1s"), std::string::npos) << hung.error().message();
  expect_nothing_left();

  // After the start it stops the container: runtime.md, "Lifecycle", step 9.
  wanted.hooks.emplace().poststart = {{"/bin/false", {"false"}, {}, {}}};
  auto container = Container::create(wanted, options());
  ASSERT_TRUE(container);
  EXPECT_FALSE(container->start());
  ASSERT_TRUE(container->wait());
  EXPECT_TRUE(container->destroy());
}

}  // namespace
}  // namespace runtime
