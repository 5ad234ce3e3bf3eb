#include "runtime/test_bundle.h"

#include <algorithm>

#include <sched.h>
#include <sys/mount.h>

#include "base/strings.h"
#include "sys/mount.h"
#include "sys/namespace.h"
#include "sys/node.h"

namespace runtime {
namespace {

using base::ErrorKind;

class IsolationTest : public BundleTest {
 protected:
  static std::string status_line(const std::string& text, std::string_view name) {
    for (const auto line : base::split(text, '\n')) {
      if (line.starts_with(name)) return std::string{base::trim(line.substr(name.size()))};
    }
    return {};
  }
};

TEST_F(IsolationTest, HidesAndProtectsKernelFiles) {
  const auto said = run(
      "wc -c < /proc/timer_list; wc -c < /proc/keys; ls /sys/firmware | wc -l;"
      "echo x > /proc/sys/kernel/hostname; mkdir /sys/x; mkdir /sys/fs/cgroup/x;"
      "ls /sys/fs/cgroup | wc -l; touch /proc/acpi/x");
  ASSERT_SAID(said);
  EXPECT_EQ(said->out.substr(0, 6), "0\n0\n0\n");
  std::size_t refused = 0;
  for (std::size_t at = 0; (at = said->err.find("Read-only file system", at)) != std::string::npos; ++at) ++refused;
  EXPECT_EQ(refused, 4U) << said->err;
}

TEST_F(IsolationTest, GivesExactlyItsDescriptors) {
  const int leaked = ::dup(2);  // not close-on-exec on purpose
  const auto said = run("ls /proc/self/fd");
  ::close(leaked);
  ASSERT_SAID(said);
  // 3 is the listing's own.
  EXPECT_EQ(said->out, "0\n1\n2\n3\n");
}

TEST_F(IsolationTest, NothingOfTheParentStaysOpenWhileCreated) {
  auto pipe = sys::make_pipe().value();
  auto container = Container::create(spec("true"), options());
  ASSERT_TRUE(container) << container.error().message();
  pipe.write.reset();
  // If init still had the writing end, this would block.
  EXPECT_EQ(sys::read_to_end(pipe.read.get()).value(), "");
  ASSERT_TRUE(container->destroy(true));
}

TEST_F(IsolationTest, SetsCapabilitiesExactly) {
  auto wanted = spec("cat /proc/self/status");
  auto said = run(wanted);
  ASSERT_SAID(said);
  for (const char* name : {"CapPrm:", "CapEff:", "CapBnd:"}) EXPECT_EQ(status_line(said->out, name), "00000000a80425fb");
  for (const char* name : {"CapInh:", "CapAmb:"}) EXPECT_EQ(status_line(said->out, name), "0000000000000000");
  EXPECT_EQ(status_line(said->out, "NoNewPrivs:"), "0");

  wanted.process->user.uid = 1000;
  wanted.process->user.gid = 1001;
  wanted.process->user.additional_gids = {7, 8};
  wanted.process->user.umask = 077;
  wanted.process->no_new_privileges = true;
  said = run(wanted);
  ASSERT_SAID(said);
  EXPECT_EQ(status_line(said->out, "Uid:"), "1000\t1000\t1000\t1000");
  EXPECT_EQ(status_line(said->out, "Gid:"), "1001\t1001\t1001\t1001");
  EXPECT_EQ(status_line(said->out, "Groups:"), "7 8");
  EXPECT_EQ(status_line(said->out, "Umask:"), "0077");
  EXPECT_EQ(status_line(said->out, "NoNewPrivs:"), "1");
  EXPECT_EQ(status_line(said->out, "CapEff:"), "0000000000000000");
  EXPECT_EQ(status_line(said->out, "CapPrm:"), "0000000000000000");
  EXPECT_EQ(status_line(said->out, "CapBnd:"), "00000000a80425fb");

  const std::vector<std::string> kill{"CAP_KILL", "CAP_OF_TOMORROW"};
  wanted.process->capabilities = spec::oci::Capabilities{kill, kill, kill, kill, kill};
  said = run(wanted);
  ASSERT_SAID(said);
  for (const char* name : {"CapPrm:", "CapEff:", "CapBnd:", "CapInh:", "CapAmb:"}) {
    EXPECT_EQ(status_line(said->out, name), "0000000000000020") << name;
  }
  wanted.process->user.uid = 0;
  wanted.process->capabilities.reset();
  said = run(wanted);
  ASSERT_SAID(said);
  for (const char* name : {"CapPrm:", "CapEff:", "CapBnd:"}) EXPECT_EQ(status_line(said->out, name), "0000000000000000");
}

TEST_F(IsolationTest, FiltersSystemCallsForEveryKindOfUser) {
  auto wanted = spec("mkdir /tmp/a 2>&1; grep Seccomp: /proc/self/status");
  auto& seccomp = wanted.linux_section->seccomp.emplace();
  seccomp.default_action = "SCMP_ACT_ALLOW";
  // What a strict profile leaves out must not hinder the runtime itself.
  seccomp.syscalls = {{{"mkdir", "mkdirat", "mount", "setns", "unshare", "pivot_root", "execveat", "sendto", "prlimit64",
                        "close_range", "capset", "setresuid", "clone3"},
                       "SCMP_ACT_ERRNO", 13, {}}};
  for (const std::uint32_t uid : {0U, 1000U}) {
    for (const bool no_new_privileges : {false, true}) {
      wanted.process->user.uid = uid;
      wanted.process->no_new_privileges = no_new_privileges;
      seccomp.syscalls[0].names[10] = no_new_privileges ? "capset" : "setresuid";
      const auto said = run(wanted);
      ASSERT_SAID(said);
      EXPECT_NE(said->out.find("Permission denied"), std::string::npos) << said->out << said->err;
      EXPECT_NE(said->out.find("Seccomp:\t2"), std::string::npos) << said->out;
    }
  }
}

TEST_F(IsolationTest, MakesDevicesAndForbidsOthers) {
  auto wanted = spec(
      "for i in null zero full random urandom tty; do stat -c '%n %a %t:%T' /dev/$i; done; readlink /dev/ptmx; readlink /dev/fd;"
      "ls /dev/console; mknod /tmp/disk b 8 0 && head -c 1 /tmp/disk; head -c 1 /dev/zero | wc -c; head -c 1 /dev/mem;"
      "stat -c '%a %u %g %t:%T' /dev/own /dev/sub/own");
  wanted.linux_section->devices = {{"c", "/dev/own", 1, 3, 0640, 5, 6}, {"c", "/dev/sub/own", 1, 5, {}, {}, {}}};
  const auto said = run(wanted);
  ASSERT_SAID(said);
  EXPECT_NE(said->out.find("/dev/null 666 1:3\n/dev/zero 666 1:5\n/dev/full 666 1:7\n"), std::string::npos) << said->out;
  EXPECT_NE(said->out.find("pts/ptmx\n/proc/self/fd\n"), std::string::npos) << said->out;
  EXPECT_NE(said->out.find("640 5 6 1:3\n666 0 0 1:5\n"), std::string::npos) << said->out;
  EXPECT_NE(said->err.find("/dev/console: No such file"), std::string::npos) << said->err;
  EXPECT_NE(said->err.find("/tmp/disk: Operation not permitted"), std::string::npos) << said->err;
  EXPECT_NE(said->out.find("\n1\n"), std::string::npos) << said->out;
}

TEST_F(IsolationTest, BindsFilesAndDirectories) {
  ASSERT_TRUE(sys::make_dirs(sys::kCwd, root_ + "/data", 0755));
  ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, root_ + "/data/f", "seen"));
  auto wanted = spec("cat /a/f /b /c/d/f; echo w > /a/w; echo w > /c/d/w; echo no > /b; ls /etc/deep");
  wanted.mounts.push_back({"/a", "bind", root_ + "/data", {"rbind", "rprivate"}, {}, {}});
  wanted.mounts.push_back({"/b", "bind", "data/f", {"bind", "ro"}, {}, {}});
  wanted.mounts.push_back({"/c/d", "bind", root_ + "/data", {"rbind", "rro"}, {}, {}});
  // The image's link leads to a file that is not there: it is made, inside.
  ASSERT_TRUE(sys::symlink_at("../../../../../etc/deep/resolv", sys::kCwd, rootfs() + "/etc/resolv.conf"));
  wanted.mounts.push_back({"/etc/resolv.conf", "bind", root_ + "/data/f", {"bind"}, {}, {}});
  const auto said = run(wanted);
  ASSERT_SAID(said);
  EXPECT_EQ(said->out, "seenseenseenresolv\n") << said->err;
  EXPECT_EQ(sys::read_file(sys::kCwd, root_ + "/data/w").value(), "w\n");
  EXPECT_NE(said->err.find("/c/d/w: Read-only"), std::string::npos) << said->err;
  EXPECT_NE(said->err.find("/b: Read-only"), std::string::npos) << said->err;

  auto wrong = spec("true");
  wrong.mounts.push_back({"/bin/busybox", "bind", root_ + "/data", {"rbind"}, {}, {}});
  const auto failed = run(wrong);
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().message().find("Are you trying to mount a directory onto a file"), std::string::npos)
      << failed.error().message();
}

TEST_F(IsolationTest, LinksInTheImageNeverLeadOut) {
  ASSERT_TRUE(sys::make_dirs(sys::kCwd, root_ + "/outside", 0755));
  ASSERT_TRUE(sys::make_dirs(sys::kCwd, root_ + "/data", 0755));
  ASSERT_TRUE(sys::symlink_at(root_ + "/outside", sys::kCwd, rootfs() + "/absolute"));
  ASSERT_TRUE(sys::symlink_at("../../../../../../../.." + root_ + "/outside", sys::kCwd, rootfs() + "/relative"));
  ASSERT_TRUE(sys::symlink_at("/proc/self/root", sys::kCwd, rootfs() + "/magic"));
  for (const char* link : {"/absolute", "/relative"}) {
    auto wanted = spec("true");
    wanted.mounts.push_back({std::string{link} + "/m", "bind", root_ + "/data", {"rbind"}, {}, {}});
    wanted.linux_section->devices = {{"c", std::string{link} + "/device", 1, 3, {}, {}, {}}};
    wanted.linux_section->readonly_paths.push_back(std::string{link} + "/m");
    wanted.process->cwd = std::string{link} + "/cwd";
    const auto said = run(wanted);
    ASSERT_SAID(said);
  }
  EXPECT_TRUE(sys::list_dir(sys::kCwd, root_ + "/outside")->empty());
  auto wanted = spec("true");
  wanted.mounts.push_back({"/magic/tmp/m", "bind", root_ + "/data", {"rbind"}, {}, {}});
  EXPECT_FALSE(run(wanted));
}

TEST_F(IsolationTest, ProcIsTheRealOneAndStaysUncovered) {
  // An image whose /proc is a link, so that the masks would miss.
  ASSERT_TRUE(sys::unlink_at(sys::kCwd, rootfs() + "/proc", true));
  ASSERT_TRUE(sys::make_dir(sys::kCwd, rootfs() + "/elsewhere", 0755));
  ASSERT_TRUE(sys::symlink_at("elsewhere", sys::kCwd, rootfs() + "/proc"));
  EXPECT_FALSE(run("true"));
  ASSERT_TRUE(sys::unlink_at(sys::kCwd, rootfs() + "/proc"));
  ASSERT_TRUE(sys::make_dir(sys::kCwd, rootfs() + "/proc", 0755));
  ASSERT_TRUE(sys::symlink_at("/proc", sys::kCwd, rootfs() + "/alias"));
  ASSERT_TRUE(sys::make_dirs(sys::kCwd, root_ + "/data", 0755));
  ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, root_ + "/data/f", "lxcfs"));
  for (const char* target : {"/proc/self/attr", "/proc/sys", "/alias/sys", "/alias", "/proc/1", "/sys/../proc/bus"}) {
    auto wanted = spec("true");
    wanted.mounts.push_back({target, "bind", root_ + "/data", {"rbind"}, {}, {}});
    EXPECT_FALSE(run(wanted)) << target;
  }
  auto wanted = spec("true");
  wanted.mounts[0] = {"/proc", "bind", root_ + "/data", {"rbind"}, {}, {}};
  EXPECT_FALSE(run(wanted));
  wanted = spec("cat /proc/uptime");
  wanted.mounts.push_back({"/proc/uptime", "bind", root_ + "/data/f", {"bind"}, {}, {}});
  const auto said = run(wanted);
  ASSERT_SAID(said);
  EXPECT_EQ(said->out, "lxcfs");
}

TEST_F(IsolationTest, TheRuntimesBinaryIsOutOfReach) {
  // Whatever the container executes as /proc/self/exe is not this program.
  ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, rootfs() + "/trap", "#!/proc/self/exe\n", 0755));
  ASSERT_TRUE(sys::symlink_at("/proc/self/exe", sys::kCwd, rootfs() + "/link"));
  for (const char* program : {"/trap", "/link"}) {
    auto wanted = spec("");
    wanted.process->args = {program, "--gtest_list_tests"};
    wanted.process->capabilities.reset();  // a second round of the last steps can't drop anything
    wanted.process->user.uid = 1000;
    const auto said = run(wanted);
    if (!said) continue;
    EXPECT_EQ(said->out.find("IsolationTest"), std::string::npos) << program;
    EXPECT_NE(said->status, 0);
  }
}

TEST_F(IsolationTest, AWorkingDirectoryOutsideIsRefused) {
  // Descriptors of the host that happen to be open: CVE-2024-21626.
  const sys::UniqueFd host = sys::open_dir(sys::kCwd, "/").value();
  for (int fd = 3; fd < 20; ++fd) {
    auto wanted = spec("pwd; ls");
    wanted.process->cwd = "/proc/self/fd/" + std::to_string(fd);
    const auto said = run(wanted);
    if (!said) continue;
    EXPECT_NE(said->out.find("bin\n"), std::string::npos) << said->out;
    EXPECT_EQ(said->out.find("lost+found"), std::string::npos) << said->out;
    EXPECT_EQ(said->out.find("boot"), std::string::npos) << said->out;
  }
}

TEST_F(IsolationTest, AReadOnlyRootHasWritableMounts) {
  auto wanted = spec("touch /x; touch /dev/shm/y && echo shm; touch /t/z && echo tmp; stat -c %a /t; cat /t/kept; pwd");
  wanted.root->readonly = true;
  wanted.process->cwd = "/made/for/this";
  ASSERT_TRUE(sys::make_dir(sys::kCwd, rootfs() + "/t", 0751));
  ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, rootfs() + "/t/kept", "kept\n"));
  wanted.mounts.push_back({"/t", "tmpfs", "tmpfs", {"tmpcopyup"}, {}, {}});
  const auto said = run(wanted);
  ASSERT_SAID(said);
  EXPECT_EQ(said->out, "shm\ntmp\n751\nkept\n/made/for/this\n") << said->err;
  EXPECT_NE(said->err.find("/x: Read-only"), std::string::npos) << said->err;
}

TEST_F(IsolationTest, TakesADetachedMountAsRoot) {
  for (const char* name : {"/up", "/work"}) ASSERT_TRUE(sys::make_dir(sys::kCwd, root_ + name, 0755));
  CreateOptions with = options();
  with.rootfs = sys::make_mount({.type = "overlay",
                                 .source = "overlay",
                                 .parameters = {{"lowerdir", rootfs()}, {"upperdir", root_ + "/up"}, {"workdir", root_ + "/work"}}})
                    .value();
  auto wanted = spec("echo x > /written; cat /written");
  wanted.root->path = "/not/used";
  const auto said = run(wanted, std::move(with));
  ASSERT_SAID(said);
  EXPECT_EQ(said->out, "x\n");
  EXPECT_FALSE(sys::exists(sys::kCwd, rootfs() + "/written").value());
  EXPECT_TRUE(sys::exists(sys::kCwd, root_ + "/up/written").value());
}

TEST_F(IsolationTest, AUserNamespaceMapsIdsAndStillHasDevicesAndMounts) {
  auto wanted = spec(
      "id; cat /proc/self/uid_map; echo x > /dev/null && echo null; cat /data/f; touch /dev/shm/x && echo shm;"
      "grep CapEff /proc/self/status; touch /proc/sys/kernel/x");
  wanted.linux_section->namespaces.push_back({"user", {}});
  wanted.linux_section->uid_mappings = {{0, 100000, 65536}};
  wanted.linux_section->gid_mappings = {{0, 100000, 65536}};
  wanted.mounts.push_back({"/data", "bind", root_ + "/closed/data", {"rbind"}, {}, {}});
  wanted.process->oom_score_adj = 100;
  // Only root of the host may go through here: the bind source is opened by the parent.
  ASSERT_TRUE(sys::make_dirs(sys::kCwd, root_ + "/closed", 0700));
  ASSERT_TRUE(sys::make_dirs(sys::kCwd, root_ + "/closed/data", 0755));
  ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, root_ + "/closed/data/f", "seen\n"));
  // The image belongs to nobody in there, so its mount points have to exist.
  ASSERT_TRUE(sys::make_dir(sys::kCwd, rootfs() + "/data", 0755));
  const auto said = run(wanted);
  ASSERT_SAID(said);
  EXPECT_NE(said->out.find("uid=0 gid=0"), std::string::npos) << said->out;
  EXPECT_NE(said->out.find("100000"), std::string::npos) << said->out;
  EXPECT_NE(said->out.find("null\nseen\nshm\n"), std::string::npos) << said->out << said->err;
  EXPECT_NE(said->out.find("00000000a80425fb"), std::string::npos) << said->out;

  auto container = sleeping(wanted);
  const std::string status = sys::read_file(sys::kCwd, "/proc/" + std::to_string(container.pid()) + "/status").value();
  EXPECT_NE(status.find("Uid:\t100000"), std::string::npos);
  const auto inside = exec(container, "id; cat /proc/self/uid_map; cat /proc/self/oom_score_adj");
  ASSERT_SAID(inside);
  EXPECT_NE(inside->out.find("uid=0"), std::string::npos) << inside->out;
  EXPECT_NE(inside->out.find("100000"), std::string::npos) << inside->out;

  // A second container in the namespaces of the first, the user namespace included.
  auto second = spec("readlink /proc/self/ns/user; readlink /proc/self/ns/net; id");
  second.linux_section->cgroups_path = cgroup_ + "/c2";
  const std::string ns = "/proc/" + std::to_string(container.pid()) + "/ns/";
  for (auto& one : second.linux_section->namespaces) {
    if (one.type == "network") one.path = ns + "net";
  }
  second.linux_section->namespaces.push_back({"user", ns + "user"});
  const auto shared = run(second, options("c2"));
  ASSERT_SAID(shared);
  EXPECT_NE(shared->out.find(sys::read_link(sys::kCwd, ns + "user").value()), std::string::npos) << shared->out;
  EXPECT_NE(shared->out.find(sys::read_link(sys::kCwd, ns + "net").value()), std::string::npos) << shared->out;
}

TEST_F(IsolationTest, JoinsNamespacesByPath) {
  auto first = sleeping();
  auto wanted = spec("readlink /proc/self/ns/net; hostname; ls -d /proc/[0-9]* | wc -l; cat /proc/1/cmdline");
  wanted.linux_section->cgroups_path = cgroup_ + "/c2";
  wanted.hostname.clear();
  const std::string ns = "/proc/" + std::to_string(first.pid()) + "/ns/";
  for (auto& one : wanted.linux_section->namespaces) {
    if (one.type == "network") one.path = ns + "net";
    if (one.type == "uts") one.path = ns + "uts";
    if (one.type == "pid") one.path = ns + "pid";
  }
  const auto before = sys::read_link(sys::kCwd, "/proc/self/ns/pid_for_children").value();
  const auto said = run(wanted, options("c2"));
  ASSERT_SAID(said);
  EXPECT_EQ(sys::read_link(sys::kCwd, "/proc/self/ns/pid_for_children").value(), before);
  EXPECT_NE(said->out.find(sys::read_link(sys::kCwd, ns + "net").value()), std::string::npos) << said->out;
  EXPECT_NE(said->out.find("box\n"), std::string::npos) << said->out;
  EXPECT_NE(said->out.find("sleep"), std::string::npos) << said->out;
}

TEST_F(IsolationTest, TimeAndCgroupNamespaces) {
  auto wanted = spec("cat /proc/uptime; cat /proc/self/cgroup; ls /sys/fs/cgroup");
  wanted.linux_section->namespaces.push_back({"time", {}});
  wanted.linux_section->namespaces.push_back({"cgroup", {}});
  wanted.linux_section->time_offsets["boottime"] = {1'000'000'000, 0};
  const auto said = run(wanted);
  ASSERT_SAID(said);
  EXPECT_EQ(said->out.substr(0, 2), "10") << said->out;
  EXPECT_EQ(said->out.find(cgroup_), std::string::npos) << said->out;
  EXPECT_NE(said->out.find(":/\n"), std::string::npos) << said->out;
}

TEST_F(IsolationTest, AppliesNamesSysctlsAndLimits) {
  auto wanted = spec(
      "hostname; cat /proc/sys/kernel/domainname /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/kernel/msgmax;"
      "grep 'open files' /proc/self/limits; cat /proc/self/oom_score_adj; echo $HOME; ls /sys/class/net");
  wanted.domainname = "example";
  wanted.linux_section->sysctl = {{"net.ipv4.ip_unprivileged_port_start", "7"}, {"kernel/msgmax", "9999"}};
  wanted.process->rlimits = {{"RLIMIT_NOFILE", 200, 100}};
  wanted.process->oom_score_adj = 321;
  wanted.process->user.uid = 1234;
  ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, rootfs() + "/etc/passwd", "root:x:0:0::/root:/bin/sh\nu:x:1234:1:U:/home/u:/bin/sh\n"));
  const auto said = run(wanted);
  ASSERT_SAID(said);
  EXPECT_NE(said->out.find("box\nexample\n7\n9999\n"), std::string::npos) << said->out;
  EXPECT_NE(said->out.find("100                  200"), std::string::npos) << said->out;
  EXPECT_NE(said->out.find("321\n/home/u\nlo\n"), std::string::npos) << said->out;
}

TEST_F(IsolationTest, AnIdMappedMountShowsOtherOwners) {
  ASSERT_TRUE(sys::make_dirs(sys::kCwd, root_ + "/data", 0755));
  ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, root_ + "/data/f", "x"));
  auto wanted = spec("stat -c '%u %g' /data/f");
  wanted.mounts.push_back({"/data", "bind", root_ + "/data", {"rbind", "idmap"}, {{0, 5000, 10}}, {{0, 6000, 10}}});
  const auto said = run(wanted);
  if (!said && said.error().errno_value() == EINVAL) GTEST_SKIP() << said.error().message();
  ASSERT_SAID(said);
  EXPECT_EQ(said->out, "5000 6000\n");
}

TEST_F(IsolationTest, AnIdMappedMountHasTheMapsOfAJoinedUserNamespace) {
  ASSERT_TRUE(sys::make_dirs(sys::kCwd, root_ + "/data", 0755));
  ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, root_ + "/data/f", "x"));
  ASSERT_TRUE(sys::make_dirs(sys::kCwd, rootfs() + "/data", 0755));
  ASSERT_EQ(::chmod(root_.c_str(), 0755), 0);
  auto owner = spec("");
  owner.linux_section->namespaces.push_back({"user", {}});
  owner.linux_section->uid_mappings = owner.linux_section->gid_mappings = {{0, 100000, 65536}};
  Container first = sleeping(owner);
  auto wanted = spec("stat -c '%u %g' /data/f");
  wanted.linux_section->cgroups_path = cgroup_ + "/d";
  wanted.linux_section->namespaces.push_back({"user", "/proc/" + std::to_string(first.state().pid) + "/ns/user"});
  wanted.mounts.push_back({"/data", "bind", root_ + "/data", {"rbind", "idmap"}, {}, {}});
  const auto said = run(wanted, options("d"));
  ASSERT_TRUE(first.destroy(true));
  if (!said && said.error().errno_value() == EINVAL) GTEST_SKIP() << said.error().message();
  ASSERT_SAID(said);
  EXPECT_EQ(said->out, "0 0\n") << said->err;
}

TEST_F(IsolationTest, HasATerminalOfItsOwn) {
  auto wanted = spec("tty; stty size; ls -l /dev/console | head -c 1; readlink /proc/self/fd/0; echo done");
  wanted.process->terminal = true;
  wanted.process->console_size = spec::oci::ConsoleSize{33, 99};
  CreateOptions with = options();
  with.start_at_once = true;
  auto container = Container::create(wanted, std::move(with));
  ASSERT_TRUE(container) << container.error().message();
  const sys::UniqueFd master = container->take_pty_master();
  ASSERT_TRUE(master.valid());
  std::string text;
  char buffer[4096];
  while (const auto count = sys::read_some(master.get(), buffer)) text.append(buffer, *count);
  EXPECT_EQ(text, "/dev/pts/0\r\n33 99\r\nc/dev/pts/0\r\ndone\r\n");
  ASSERT_TRUE(container->wait());
  ASSERT_TRUE(container->destroy());
  // A fake multiplexer in the image is not opened for real.
  wanted.mounts.erase(wanted.mounts.begin() + 2);
  const auto failed = run(wanted);
  ASSERT_FALSE(failed);
}

TEST_F(IsolationTest, SeccompListenersAreHandedOver) {
  auto wanted = spec("mkdir /tmp/a; echo $?");
  auto& seccomp = wanted.linux_section->seccomp.emplace();
  seccomp.default_action = "SCMP_ACT_ALLOW";
  seccomp.listener_path = root_ + "/agent.sock";
  seccomp.listener_metadata = "meta";
  seccomp.syscalls = {{{"mkdir", "mkdirat"}, "SCMP_ACT_NOTIFY", {}, {}}};
  // Nobody listens: the container must not start unguarded.
  EXPECT_FALSE(run(wanted));
  expect_nothing_left();
}

}  // namespace
}  // namespace runtime
