/// One effect and one wrong value for each field of the configuration that no other test is about.
/// Source: OCI runtime-spec 1.3, config.md and config-linux.md.

#include <algorithm>
#include <functional>

#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/scope_guard.h"
#include "base/strings.h"
#include "runtime/detail/intel_rdt.h"
#include "runtime/features.h"
#include "runtime/test_bundle.h"
#include "sys/mount.h"
#include "sys/namespace.h"
#include "sys/rtnetlink.h"

namespace runtime {
namespace {

using base::ErrorKind;
using spec::oci::Spec;

class FieldsTest : public BundleTest {
 protected:
  void link(const char* tool) { ASSERT_TRUE(sys::symlink_at("busybox", sys::kCwd, rootfs() + "/bin/" + tool)); }

  /// The line of mountinfo for what is mounted at `path`: options, then optional fields.
  static std::string mount_line(const std::string& mountinfo, std::string_view path) {
    for (const auto line : base::split(mountinfo, '\n')) {
      const auto fields = base::split_words(line, ' ');
      if (fields.size() > 5 && fields[4] == path) return std::string{line};
    }
    return {};
  }
  static bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }
  static bool has_option(const std::string& line, std::string_view option) {
    const auto fields = base::split_words(line, ' ');
    if (fields.size() < 6) return false;
    const auto options = base::split(fields[5], ',');
    return std::ranges::find(options, option) != options.end();
  }

  void expect_refused(const std::function<void(Spec&)>& change, std::string_view words) {
    auto wanted = spec("true");
    change(wanted);
    const auto said = run(wanted);
    ASSERT_FALSE(said) << words;
    EXPECT_TRUE(has(said.error().message(), words)) << said.error().message() << "\nwanted: " << words;
    EXPECT_FALSE(said.failed_as(ErrorKind::NotFound)) << said.error().message();
    EXPECT_FALSE(said.failed_as(ErrorKind::PermissionDenied)) << said.error().message();
    expect_nothing_left();
  }
};

TEST_F(FieldsTest, WrongValuesNameTheirField) {
  const auto mount = [](Spec& s, spec::oci::Mount m) { s.mounts.push_back(std::move(m)); };
  expect_refused([](Spec& s) { s.oci_version = "2.0.0"; }, "ociVersion");
  expect_refused([](Spec& s) { s.process->args.clear(); }, "process.args");
  expect_refused([](Spec& s) { s.process->cwd = "tmp"; }, "Cwd must be an absolute path");
  expect_refused([](Spec& s) { s.process->user.umask = 01000; }, "process.user.umask");
  expect_refused([](Spec& s) { s.process->terminal = true; s.process->console_size = {70000, 80}; }, "process.consoleSize");
  expect_refused([](Spec& s) { s.process->io_priority = {"IOPRIO_CLASS_BE", 8}; }, "process.ioPriority.priority");
  expect_refused([](Spec& s) { s.process->io_priority = {"IOPRIO_CLASS_X", 1}; }, "I/O class \"IOPRIO_CLASS_X\"");
  expect_refused([](Spec& s) { s.process->scheduler.emplace().policy = "SCHED_X"; }, "scheduler policy \"SCHED_X\"");
  expect_refused([](Spec& s) { s.process->scheduler = {"SCHED_OTHER", 20, 0, {}, 0, 0, 0}; }, "process.scheduler.nice");
  expect_refused([](Spec& s) { s.process->scheduler = {"SCHED_OTHER", 0, 0, {"X"}, 0, 0, 0}; }, "scheduler flag \"X\"");
  expect_refused([](Spec& s) { s.process->oom_score_adj = 1001; }, "process.oomScoreAdj");
  expect_refused([](Spec& s) { s.process->rlimits = {{"RLIMIT_X", 1, 1}}; }, "rlimit type \"RLIMIT_X\"");
  expect_refused([](Spec& s) { s.process->rlimits = {{"RLIMIT_CORE", 1, 1}, {"RLIMIT_CORE", 1, 1}}; }, "RLIMIT_CORE is given twice");
  if (!sys::exists(sys::kCwd, "/sys/fs/selinux/enforce").value()) {
    expect_refused([](Spec& s) { s.process->selinux_label = "a:b:c"; }, "process.selinuxLabel");
    expect_refused([](Spec& s) { s.linux_section->mount_label = "a:b:c"; }, "linux.mountLabel");
  }
  if (!sys::exists(sys::kCwd, "/sys/module/apparmor").value()) {
    expect_refused([](Spec& s) { s.process->apparmor_profile = "p"; }, "process.apparmorProfile");
  }
  expect_refused([](Spec& s) { s.hooks.emplace().poststop = {{"rel", {}, {}, {}}}; }, "hooks.poststop[0].path");
  expect_refused([](Spec& s) { s.hooks.emplace().prestart = {{"/bin/true", {}, {}, 0}}; }, "hooks.prestart[0].timeout");
  expect_refused([&](Spec& s) { mount(s, {"", "tmpfs", "tmpfs", {}, {}, {}}); }, ".destination must not be empty");
  expect_refused([&](Spec& s) { mount(s, {"/m", "tmpfs", "tmpfs", {"no_such_option"}, {}, {}}); }, "no_such_option");
  expect_refused([&](Spec& s) { mount(s, {"/m", "nofs", "none", {}, {}, {}}); }, "nofs");
  expect_refused([&](Spec& s) { mount(s, {"/m", "bind", "/nowhere", {}, {}, {}}); }, "error mounting \"/nowhere\" to rootfs at \"/m\"");
  expect_refused([&](Spec& s) { mount(s, {"/m", "bind", "/tmp", {"bind", "idmap"}, {}, {}}); }, "an id-mapped mount needs uidMappings");
  expect_refused([&](Spec& s) { mount(s, {"/m", "bind", "/tmp", {"bind"}, {{0, 1, 1}}, {}}); }, "uidMappings and gidMappings must be");
  expect_refused([&](Spec& s) { mount(s, {"/m", "tmpfs", "t", {}, {{0, 1, 1}}, {{0, 1, 1}}}); }, "only bind mounts can be id-mapped");
  const auto section = [](const std::function<void(spec::oci::Linux&)>& f) { return [f](Spec& s) { f(*s.linux_section); }; };
  using spec::oci::Linux;
  expect_refused(section([](Linux& l) { l.namespaces.push_back({"x", {}}); }), "unknown namespace type \"x\"");
  expect_refused(section([](Linux& l) { l.namespaces.push_back({"pid", {}}); }), "namespace pid is given twice");
  expect_refused(section([](Linux& l) { l.namespaces[1].path = "ns/net"; }), "path of the network namespace must be absolute");
  expect_refused(section([](Linux& l) { l.namespaces[1].path = "/proc/self/ns/uts"; }), "not a network namespace");
  expect_refused(section([](Linux& l) { l.uid_mappings = {{0, 0, 1}}; }), "user namespace isn't enabled");
  const auto user = [](Linux& l) { l.namespaces.push_back({"user", {}}); l.uid_mappings = l.gid_mappings = {{0, 100000, 65536}}; };
  expect_refused(section([&](Linux& l) { user(l); l.gid_mappings.clear(); }), "needs uidMappings and gidMappings");
  expect_refused(section([&](Linux& l) { user(l); l.gid_mappings[0].size = 0; }), "linux.gidMappings[0].size");
  expect_refused(section([&](Linux& l) { user(l); l.uid_mappings[0].host_id = 4294967295; }), "linux.uidMappings[0]");
  expect_refused(section([&](Linux& l) { user(l); l.uid_mappings.push_back({5, 200000, 10}); }), "id mappings");
  expect_refused(section([](Linux& l) { l.time_offsets["boottime"] = {1, 0}; }), "time namespace isn't enabled");
  const auto time = [](Linux& l, const char* clock, spec::oci::TimeOffset o) { l.namespaces.push_back({"time", {}}); l.time_offsets[clock] = o; };
  expect_refused(section([&](Linux& l) { time(l, "realtime", {1, 0}); }), "unknown clock \"realtime\"");
  expect_refused(section([&](Linux& l) { time(l, "boottime", {1, 1000000000}); }), "linux.timeOffsets.boottime.nanosecs");
  expect_refused(section([](Linux& l) { l.devices = {{"x", "/dev/x", 1, 3, {}, {}, {}}}; }), "unknown type \"x\"");
  expect_refused(section([](Linux& l) { l.devices = {{"c", "/bin/sh", 1, 3, {}, {}, {}}}; }), "/bin/sh is there already");
  expect_refused(section([](Linux& l) { l.rootfs_propagation = "x"; }), "linux.rootfsPropagation");
  expect_refused(section([](Linux& l) { l.personality = {"BSD", {}}; }), "linux.personality.domain");
  expect_refused(section([](Linux& l) { l.personality = {"LINUX", {"X"}}; }), "linux.personality.flags");
  expect_refused(section([](Linux& l) { l.memory_policy = {"MPOL_X", "0", {}}; }), "linux.memoryPolicy.mode");
  expect_refused(section([](Linux& l) { l.memory_policy = {"MPOL_BIND", "0", {"X"}}; }), "linux.memoryPolicy.flags");
  expect_refused(section([](Linux& l) { l.memory_policy = {"MPOL_BIND", "0-x", {}}; }), "linux.memoryPolicy");
  expect_refused(section([](Linux& l) { l.memory_policy = {"MPOL_BIND", "0-9876543210", {}}; }), "invalid memory policy nodes");
  expect_refused(section([](Linux& l) { l.memory_policy = {"MPOL_DEFAULT", "0-7", {}}; }), "mode requires 0 nodes but got 8");
  expect_refused(section([](Linux& l) { l.intel_rdt.emplace().clos_id = "../x"; }), "linux.intelRdt.closID");
  expect_refused(section([](Linux& l) { l.intel_rdt.emplace().mem_bw_schema = "L3:0=f"; }), "linux.intelRdt.memBwSchema");
  expect_refused(section([](Linux& l) { l.intel_rdt.emplace().schemata = {"L3:0=f\nMB:0=1"}; }), "linux.intelRdt");
  expect_refused(section([](Linux& l) { l.sysctl["kernel.panic"] = "1"; }), "sysctl \"kernel.panic\" is not in a separate kernel namespace");
  expect_refused(section([](Linux& l) { l.sysctl["net.ipv4.no_such"] = "1"; }), "net.ipv4.no_such");
  expect_refused(section([](Linux& l) { l.net_devices["no_such"] = {}; }), "linux.netDevices.no_such");
  expect_refused(section([](Linux& l) { l.net_devices["a/b"] = {}; }), "linux.netDevices");
  expect_refused(section([](Linux& l) { l.net_devices["lo"] = {"lo2"}; }), "linux.netDevices.lo");
  expect_refused(section([](Linux& l) { std::erase_if(l.namespaces, [](const auto& n) { return n.type == "network"; });
                                        l.net_devices["lo"] = {}; }), "without a private network namespace");
  expect_refused(section([](Linux& l) { l.seccomp.emplace().default_action = "SCMP_ACT_X"; }), "SCMP_ACT_X");
  expect_refused(section([](Linux& l) { l.resources->hugepage_limits = {{"3MB", 1}}; }), "3MB");
}

TEST_F(FieldsTest, IntelRdtNeedsItsFileSystem) {
  if (detail::find_resctrl()) GTEST_SKIP() << "this host has resctrl";
  expect_refused([](Spec& s) { s.linux_section->intel_rdt.emplace(); }, "no resctrl file system");
}

TEST_F(FieldsTest, MountOptionsReachTheMount) {
  struct Case {
    const char* option;
    const char* shown;
  };
  constexpr std::array<Case, 9> kCases{{{"ro", "ro"}, {"nosuid", "nosuid"}, {"nodev", "nodev"}, {"noexec", "noexec"}, {"noatime", "noatime"},
                                        {"nodiratime", "nodiratime"}, {"relatime", "relatime"}, {"nosymfollow", "nosymfollow"},
                                        {"rw", "rw"}}};
  auto wanted = spec("cat /proc/self/mountinfo");
  for (const auto& one : kCases) {
    wanted.mounts.push_back({std::string{"/fs-"} + one.option, "tmpfs", "tmpfs", {one.option}, {}, {}});
    wanted.mounts.push_back({std::string{"/bind-"} + one.option, "none", rootfs() + "/tmp", {"bind", one.option}, {}, {}});
  }
  // What undoes an option: the later word counts.
  wanted.mounts.push_back({"/undone", "tmpfs", "tmpfs", {"ro", "nosuid", "nodev", "noexec", "noatime", "rw", "suid", "dev", "exec", "strictatime"}, {}, {}});
  wanted.mounts.push_back({"/super", "tmpfs", "tmpfs", {"sync", "dirsync", "lazytime", "size=64k", "mode=0711", "defaults", "loud", "iversion", "nomand"}, {}, {}});
  // Relative destinations are old, and relative to the root.
  wanted.mounts.push_back({"relative/here", "tmpfs", "tmpfs", {}, {}, {}});
  const auto said = run(wanted);
  ASSERT_SAID(said);
  for (const auto& one : kCases) {
    EXPECT_TRUE(has_option(mount_line(said->out, std::string{"/fs-"} + one.option), one.shown)) << one.option;
    EXPECT_TRUE(has_option(mount_line(said->out, std::string{"/bind-"} + one.option), one.shown)) << one.option;
  }
  const std::string undone = mount_line(said->out, "/undone");
  for (const char* option : {"ro", "nosuid", "nodev", "noexec", "noatime", "relatime"}) EXPECT_FALSE(has_option(undone, option)) << undone;
  const std::string super = mount_line(said->out, "/super");
  for (const char* option : {"sync", "dirsync", "lazytime", "size=64k", "mode=711"}) EXPECT_TRUE(has(super, option)) << super;
  EXPECT_FALSE(mount_line(said->out, "/relative/here").empty());
}

TEST_F(FieldsTest, RecursiveOptionsReachTheMountsBelow) {
  // A tree with a mount in it, in a mount namespace that ends with this test.
  const auto home = sys::open_at(sys::kCwd, "/proc/self/ns/mnt", O_RDONLY).value();
  ASSERT_TRUE(sys::unshare_namespaces(CLONE_NEWNS));
  const base::ScopeGuard back{[&] { EXPECT_TRUE(sys::enter_namespaces(home.get(), CLONE_NEWNS)); }};
  ASSERT_TRUE(sys::change_mount_at("/", {.propagation = MS_PRIVATE}, true));
  ASSERT_TRUE(sys::make_dirs(sys::kCwd, root_ + "/tree/sub", 0755));
  const auto mounted = sys::make_mount({.type = "tmpfs", .source = "tmpfs"}).value();
  const auto sub = sys::open_at(sys::kCwd, root_ + "/tree/sub", O_PATH).value();
  ASSERT_TRUE(sys::attach_mount(mounted.get(), sub.get()));

  struct Case {
    const char* option;
    const char* shown;
    bool below;
  };
  constexpr std::array<Case, 13> kCases{{{"rro", "ro", true}, {"rnosuid", "nosuid", true}, {"rnodev", "nodev", true}, {"rnoexec", "noexec", true},
                                         {"rnoatime", "noatime", true}, {"rnodiratime", "nodiratime", true}, {"rrelatime", "relatime", true},
                                         {"rnosymfollow", "nosymfollow", true}, {"ro", "ro", false}, {"nosuid", "nosuid", false},
                                         {"nodev", "nodev", false}, {"noexec", "noexec", false}, {"noatime", "noatime", false}}};
  auto wanted = spec("cat /proc/self/mountinfo");
  for (const auto& one : kCases) {
    wanted.mounts.push_back({std::string{"/at-"} + one.option, "none", root_ + "/tree", {"rbind", one.option}, {}, {}});
  }
  wanted.mounts.push_back({"/undone", "none", root_ + "/tree", {"rbind", "rro", "rrw", "rnoexec", "rexec", "rnoatime", "rstrictatime"}, {}, {}});
  wanted.mounts.push_back({"/plain", "none", root_ + "/tree", {"bind"}, {}, {}});
  const auto said = run(wanted);
  ASSERT_SAID(said);
  for (const auto& one : kCases) {
    const std::string at = std::string{"/at-"} + one.option;
    EXPECT_TRUE(has_option(mount_line(said->out, at), one.shown)) << at;
    EXPECT_EQ(has_option(mount_line(said->out, at + "/sub"), one.shown), one.below) << at;
  }
  for (const char* option : {"ro", "noexec", "noatime"}) EXPECT_FALSE(has_option(mount_line(said->out, "/undone/sub"), option)) << option;
  EXPECT_TRUE(mount_line(said->out, "/plain/sub").empty());
}

TEST_F(FieldsTest, PropagationOfMountsAndOfTheRoot) {
  const auto home = sys::open_at(sys::kCwd, "/proc/self/ns/mnt", O_RDONLY).value();
  ASSERT_TRUE(sys::unshare_namespaces(CLONE_NEWNS));
  const base::ScopeGuard back{[&] { EXPECT_TRUE(sys::enter_namespaces(home.get(), CLONE_NEWNS)); }};
  ASSERT_TRUE(sys::change_mount_at("/", {.propagation = MS_SHARED}, true));
  for (const char* root : {"", "shared", "slave", "private", "unbindable"}) {
    auto wanted = spec("cat /proc/self/mountinfo");
    wanted.linux_section->rootfs_propagation = root;
    for (const char* word : {"shared", "slave", "private", "unbindable", "rshared", "rslave", "rprivate", "runbindable"}) {
      wanted.mounts.push_back({std::string{"/"} + word, "none", rootfs() + "/tmp", {"rbind", word}, {}, {}});
    }
    const auto said = run(wanted);
    ASSERT_SAID(said);
    const std::string line = mount_line(said->out, "/");
    EXPECT_EQ(has(line, "shared:"), root == std::string_view{"shared"}) << root << line;
    EXPECT_EQ(has(line, "unbindable"), root == std::string_view{"unbindable"}) << root << line;
    EXPECT_EQ(has(line, "master:"), root == std::string_view{"slave"} || *root == '\0' || root == std::string_view{"shared"}) << root << line;
    for (const char* prefix : {"/", "/r"}) {
      EXPECT_TRUE(has(mount_line(said->out, std::string{prefix} + "shared"), "shared:")) << said->out;
      // A private namespace has cut the source from its peers: there is no master any more.
      const bool cut = root == std::string_view{"private"} || root == std::string_view{"unbindable"};
      EXPECT_EQ(has(mount_line(said->out, std::string{prefix} + "slave"), "master:"), !cut) << root;
      EXPECT_TRUE(has(mount_line(said->out, std::string{prefix} + "unbindable"), "unbindable")) << said->out;
      const std::string own = mount_line(said->out, std::string{prefix} + "private");
      EXPECT_FALSE(has(own, "shared:") || has(own, "master:") || has(own, "unbindable")) << own;
    }
  }
}

TEST_F(FieldsTest, MakesEveryKindOfDevice) {
  auto wanted = spec("for i in c u b p; do stat -c '%F %a %u:%g %t,%T' /dev/x-$i; done; stat -c '%F' /srv/deep/x");
  wanted.linux_section->devices = {{"c", "/dev/x-c", 1, 3, 0600, 1, 2}, {"u", "/dev/x-u", 1, 5, {}, {}, {}},
                                   {"b", "/dev/x-b", 7, 200, 0640, {}, 6}, {"p", "/dev/x-p", 0, 0, 0622, {}, {}},
                                   {"c", "/srv/deep/x", 1, 3, {}, {}, {}}};
  const auto said = run(wanted);
  ASSERT_SAID(said);
  EXPECT_EQ(said->out,
            "character special file 600 1:2 1,3\ncharacter special file 666 0:0 1,5\nblock special file 640 0:6 7,c8\n"
            "fifo 622 0:0 0,0\ncharacter special file\n")
      << said->err;
}

TEST_F(FieldsTest, CopiesUpIntoATmpfs) {
  ASSERT_TRUE(sys::make_dirs(sys::kCwd, rootfs() + "/data/sub", 0750));
  ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, rootfs() + "/data/sub/f", "seen", 0604));
  auto wanted = spec("cat /data/sub/f && stat -c %a /data/sub/f /data/sub && echo new > /data/sub/f");
  wanted.mounts.push_back({"/data", "tmpfs", "tmpfs", {"tmpcopyup", "mode=700"}, {}, {}});
  const auto said = run(wanted);
  ASSERT_SAID(said);
  EXPECT_EQ(said->out, "seen604\n750\n") << said->err;
  EXPECT_EQ(sys::read_file(sys::kCwd, rootfs() + "/data/sub/f").value(), "seen");
}

TEST_F(FieldsTest, BindsSockets) {
  const auto listener = sys::UniqueFd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  struct ::sockaddr_un address {};
  address.sun_family = AF_UNIX;
  (root_ + "/s").copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  auto wanted = spec("stat -c %F /run/s");
  wanted.mounts.push_back({"/run/s", "bind", root_ + "/s", {"bind"}, {}, {}});
  const auto said = run(wanted);
  ASSERT_SAID(said);
  EXPECT_EQ(said->out, "socket\n") << said->err;
}

TEST_F(FieldsTest, SchedulingPersonalityAndMemoryPolicy) {
  link("ionice");
  link("uname");
  link("cut");
  auto wanted = spec("uname -m; ionice -p $$; cut -d' ' -f19,41 /proc/self/stat; grep -c interleave=static:0 /proc/self/numa_maps");
  wanted.linux_section->personality = spec::oci::Personality{"LINUX32", {}};
  wanted.process->scheduler = {"SCHED_BATCH", 5, 0, {"SCHED_FLAG_RESET_ON_FORK"}, 0, 0, 0};
  wanted.process->io_priority = {"IOPRIO_CLASS_BE", 6};
  const bool numa = sys::exists(sys::kCwd, "/proc/self/numa_maps").value();
  if (numa) wanted.linux_section->memory_policy = {"MPOL_INTERLEAVE", "0", {"MPOL_F_STATIC_NODES"}};
  auto said = run(wanted);
  ASSERT_SAID(said);
  const auto lines = base::split(said->out, '\n');
  ASSERT_GT(lines.size(), 3U) << said->out << said->err;
  EXPECT_EQ(lines[0], "i686");
  EXPECT_TRUE(lines[1].ends_with("prio 6")) << lines[1];
  if (numa) {
    EXPECT_NE(lines[3], "0") << said->out << said->err;
  }

  wanted = spec("cut -d' ' -f19,41 /proc/self/stat; uname -m");
  wanted.linux_section->personality = spec::oci::Personality{"LINUX", {}};
  wanted.process->scheduler = {"SCHED_BATCH", 5, 0, {}, 0, 0, 0};
  said = run(wanted);
  ASSERT_SAID(said);
  EXPECT_TRUE(said->out.starts_with("5 3\n")) << said->out << said->err;

  wanted.process->scheduler = {"SCHED_FIFO", 0, 200, {}, 0, 0, 0};
  said = run(wanted);
  ASSERT_FALSE(said);
  EXPECT_TRUE(has(said.error().message(), "scheduler")) << said.error().message();
  expect_nothing_left();
}

TEST_F(FieldsTest, ExecHasItsOwnScheduling) {
  link("ionice");
  link("cut");
  Container container = sleeping();
  auto process = *spec("cut -d' ' -f19,41 /proc/self/stat; ionice -p $$; grep Cpus_allowed_list /proc/self/status").process;
  process.scheduler = {"SCHED_BATCH", 7, 0, {}, 0, 0, 0};
  process.io_priority = {"IOPRIO_CLASS_IDLE", 0};
  process.exec_cpu_affinity = {"0", "0"};
  auto said = exec(container, process);
  ASSERT_SAID(said);
  EXPECT_TRUE(has(said->out, "7 3\n")) << said->out << said->err;
  EXPECT_TRUE(has(said->out, "idle")) << said->out;
  EXPECT_TRUE(has(said->out, "Cpus_allowed_list:\t0\n")) << said->out;
  for (const auto& affinity : {spec::oci::CpuAffinity{"x", ""}, spec::oci::CpuAffinity{"", "3-1"}}) {
    process.exec_cpu_affinity = affinity;
    said = exec(container, process);
    ASSERT_FALSE(said);
    EXPECT_TRUE(has(said.error().message(), "execCPUAffinity")) << said.error().message();
  }
  ASSERT_TRUE(container.destroy(true));
}

/// What linux.personality and linux.memoryPolicy say holds for every process, so exec remembers it.
TEST_F(FieldsTest, ExecHasTheContainersPersonalityAndMemoryPolicy) {
  link("uname");
  auto wanted = spec("");
  wanted.linux_section->personality = spec::oci::Personality{"LINUX32", {}};
  const bool numa = sys::exists(sys::kCwd, "/proc/self/numa_maps").value();
  if (numa) wanted.linux_section->memory_policy = {"MPOL_INTERLEAVE", "0", {"MPOL_F_STATIC_NODES"}};
  Container made = sleeping(wanted);
  auto container = Container::load(state_root(), made.id());
  ASSERT_TRUE(container);
  const auto said = exec(*container, "uname -m; test ! -e /proc/self/numa_maps || grep -c interleave=static:0 /proc/self/numa_maps");
  ASSERT_SAID(said);
  EXPECT_TRUE(has(said->out, "i686\n")) << said->out << said->err;
  if (numa) {
    EXPECT_FALSE(has(said->out, "\n0\n")) << said->out << said->err;
  }
  ASSERT_TRUE(made.destroy(true));
}

/// No child inherits these two: whoever called exec sets them once there is one.
TEST_F(FieldsTest, ExecWithAPolicyThatNoChildInherits) {
  link("cut");
  Container container = sleeping();
  auto process = *spec("cut -d' ' -f41 /proc/$$/stat").process;
  process.args = {"cut", "-d", " ", "-f41", "/proc/self/stat"};
  process.scheduler = {"SCHED_BATCH", 0, 0, {"SCHED_FLAG_RESET_ON_FORK"}, 0, 0, 0};
  auto said = exec(container, process);
  ASSERT_SAID(said);
  EXPECT_EQ(said->out, "3\n") << said->err;
  process.scheduler = {"SCHED_DEADLINE", 0, 0, {"SCHED_FLAG_RESET_ON_FORK"}, 42000, 1000000, 1000000};
  said = exec(container, process);
  // Where the machine binds processes to some of its CPUs it allows no deadlines.
  if (said) {
    EXPECT_EQ(said->out, "6\n") << said->err;
  } else {
    EXPECT_TRUE(has(said.error().message(), "process.scheduler")) << said.error().message();
  }
  process.scheduler = {"SCHED_DEADLINE", 0, 0, {}, 2000000, 1000000, 1000000};
  said = exec(container, process);
  ASSERT_FALSE(said);
  EXPECT_TRUE(has(said.error().message(), "process.scheduler")) << said.error().message();
  EXPECT_EQ(container.processes()->size(), 1U) << "what was forked is gone";
  ASSERT_TRUE(container.destroy(true));
}

TEST_F(FieldsTest, MapsSeveralRanges) {
  auto wanted = spec("cat /proc/self/uid_map /proc/self/gid_map");
  wanted.linux_section->namespaces.push_back({"user", {}});
  wanted.linux_section->uid_mappings = {{0, 100000, 10}, {10, 300000, 5}, {1000, 200000, 1}};
  wanted.linux_section->gid_mappings = {{0, 100000, 100}, {100, 400000, 1}};
  ASSERT_EQ(::chmod(root_.c_str(), 0755), 0);
  const auto said = run(wanted);
  ASSERT_SAID(said);
  std::vector<std::string> rows;
  for (const auto line : base::split(said->out, '\n')) {
    std::string row;
    for (const auto word : base::split_words(line, ' ')) row.append(row.empty() ? "" : " ").append(word);
    if (!row.empty()) rows.push_back(row);
  }
  EXPECT_EQ(rows, (std::vector<std::string>{"0 100000 10", "10 300000 5", "1000 200000 1", "0 100000 100", "100 400000 1"}));
}

TEST_F(FieldsTest, HooksFindTheMountsUnderTheRootsPath) {
  auto wanted = spec("true");
  const std::string out = root_ + "/hooked";
  // By the path, and in the container's mount namespace; outside there is nothing below.
  const std::string look = "test -d " + rootfs() + "/proc/self && echo createContainer >> " + out;
  const std::string outside = "test ! -d " + rootfs() + "/proc/self && echo createRuntime >> " + out;
  wanted.hooks.emplace().create_container = {{"/bin/sh", {"sh", "-c", look}, {}, {}}};
  wanted.hooks->create_runtime = {{"/bin/sh", {"sh", "-c", outside}, {}, {}}};
  // Inside: the container's own shell and root.
  wanted.hooks->start_container = {{"/bin/sh", {"sh", "-c", "echo startContainer > /tmp/started"}, {"PATH=/bin"}, {}}};
  const auto said = run(wanted);
  ASSERT_SAID(said);
  EXPECT_EQ(sys::read_file(sys::kCwd, out).value(), "createRuntime\ncreateContainer\n");
  EXPECT_EQ(sys::read_file(sys::kCwd, rootfs() + "/tmp/started").value(), "startContainer\n");
}

class NetDevicesTest : public FieldsTest {
 protected:
  void SetUp() override {
    FieldsTest::SetUp();
    if (IsSkipped()) return;
    home_ = sys::open_at(sys::kCwd, "/proc/self/ns/net", O_RDONLY).value();
    ASSERT_TRUE(sys::unshare_namespaces(CLONE_NEWNET));
    link("ip");
    auto socket = sys::RouteSocket::open().value();
    sys::RouteBatch batch;
    batch.create_veth({.name = "cst0", .mtu = 1400, .peer_name = "cst1"});
    ASSERT_TRUE(socket.run(batch));
    const auto index = socket.link("cst0").value().index;
    sys::RouteBatch more;
    more.add_address(index, sys::InetAddress::v4(0x0a090807), 24);
    more.add_address(index, sys::InetAddress::v4(0x0a090907), 16);
    ASSERT_TRUE(socket.run(more));
  }
  void TearDown() override {
    if (home_) {
      EXPECT_TRUE(sys::enter_namespaces(home_.get(), CLONE_NEWNET));
    }
    FieldsTest::TearDown();
  }
  sys::UniqueFd home_;
};

TEST_F(NetDevicesTest, ComeWithTheirAddresses) {
  auto wanted = spec("ip addr show dev eth0; cat /proc/sys/net/ipv4/conf/eth0/forwarding");
  wanted.linux_section->net_devices["cst0"] = {"eth0"};
  wanted.linux_section->sysctl["net.ipv4.conf.eth0.forwarding"] = "1";
  const auto said = run(wanted);
  ASSERT_SAID(said);
  for (const char* part : {"10.9.8.7/24", "10.9.9.7/16", "mtu 1400", ",UP", "\n1\n"}) EXPECT_TRUE(has(said->out, part)) << part << said->out << said->err;
}

TEST_F(NetDevicesTest, PatternsAndConflicts) {
  auto wanted = spec("ip link");
  wanted.linux_section->net_devices["cst0"] = {"net%d"};
  wanted.linux_section->net_devices["cst1"] = {};
  auto said = run(wanted);
  ASSERT_SAID(said);
  EXPECT_TRUE(has(said->out, " net0@")) << said->out;
  EXPECT_TRUE(has(said->out, " cst1@")) << said->out;
}

TEST_F(NetDevicesTest, AreBroughtBackWhenTheContainerFails) {
  auto socket = sys::RouteSocket::open().value();
  auto wanted = spec("true");
  wanted.linux_section->net_devices["cst0"] = {"eth0"};
  wanted.linux_section->net_devices["cst1"] = {"lo"};
  auto said = run(wanted);
  ASSERT_FALSE(said);
  EXPECT_TRUE(has(said.error().message(), "linux.netDevices.cst1")) << said.error().message();
  EXPECT_TRUE(has(said.error().message(), "lo is there already")) << said.error().message();
  expect_nothing_left();
  const auto back = socket.link("cst0");
  ASSERT_TRUE(back) << back.error().message();
  const auto addresses = socket.addresses().value();
  EXPECT_EQ(std::ranges::count(addresses, back->index, &sys::LinkAddress::link), 2);
  EXPECT_TRUE(socket.link("cst1"));

  // And when it is a hook that fails, after they have been moved.
  wanted.linux_section->net_devices.erase("cst1");
  wanted.hooks.emplace().create_runtime = {{"/bin/false", {}, {}, {}}};
  said = run(wanted);
  ASSERT_FALSE(said);
  EXPECT_TRUE(has(said.error().message(), "createRuntime hook #0")) << said.error().message();
  EXPECT_TRUE(socket.link("cst0"));
}

class IntelRdtTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "/caisson-rdt-XXXXXX";
    root_ = ::mkdtemp(name.data());
    ASSERT_TRUE(sys::make_dirs(sys::kCwd, root_ + "/there/mon_groups", 0755));
    ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, root_ + "/there/schemata", "    L3:0=00ff;1=0ff0\n    MB:0= 20;1=100\n"));
  }
  void TearDown() override { EXPECT_TRUE(sys::remove_tree(sys::kCwd, root_)); }
  [[nodiscard]] std::string read(const std::string& path) const { return sys::read_file(sys::kCwd, root_ + "/" + path).value_or("missing"); }
  std::string root_;  ///< stands for a mounted resctrl
};

TEST_F(IntelRdtTest, MakesAGroupOfItsOwnAndRemovesIt) {
  spec::oci::IntelRdt wanted;
  wanted.l3_cache_schema = "L3:0=f";
  wanted.mem_bw_schema = "MB:0=20";
  wanted.schemata = {"L2:0=f"};
  const auto group = detail::join_rdt_group(root_, wanted, "box", 4711).value();
  EXPECT_TRUE(group.made);
  EXPECT_EQ(read("box/schemata"), "L3:0=f\nMB:0=20\nL2:0=f\n");
  EXPECT_EQ(read("box/tasks"), "4711\n");
  // In resctrl a group's files go with its directory.
  ASSERT_TRUE(sys::unlink_at(sys::kCwd, root_ + "/box/schemata"));
  ASSERT_TRUE(sys::unlink_at(sys::kCwd, root_ + "/box/tasks"));
  ASSERT_TRUE(detail::leave_rdt_group(group.directory, group.monitor));
  EXPECT_FALSE(sys::exists(sys::kCwd, root_ + "/box").value());
  EXPECT_TRUE(detail::leave_rdt_group(group.directory, group.monitor)) << "twice is no error";
}

TEST_F(IntelRdtTest, JoinsAGroupThatIsThere) {
  spec::oci::IntelRdt wanted;
  wanted.clos_id = "there";
  wanted.schemata = {"L3:0=FF;1=ff0", "MB:1=100"};
  wanted.enable_monitoring = true;
  const auto group = detail::join_rdt_group(root_, wanted, "box", 1).value();
  EXPECT_FALSE(group.made);
  EXPECT_EQ(group.monitor, root_ + "/there/mon_groups/box");
  EXPECT_EQ(read("there/tasks"), "1\n");
  EXPECT_EQ(read("there/mon_groups/box/tasks"), "1\n");
  wanted.schemata = {"L3:0=f"};
  const auto other = detail::join_rdt_group(root_, wanted, "box2", 2);
  ASSERT_TRUE(other.failed_as(ErrorKind::InvalidArgument));
  EXPECT_NE(other.error().message().find("L3 of domain 0 is ff, not f"), std::string::npos) << other.error().message();
  EXPECT_FALSE(sys::exists(sys::kCwd, root_ + "/there/mon_groups/box2").value());
}

TEST_F(IntelRdtTest, WhatMustBeThereIsNotMade) {
  spec::oci::IntelRdt wanted;
  wanted.clos_id = "missing";
  EXPECT_TRUE(detail::join_rdt_group(root_, wanted, "box", 1).failed_as(ErrorKind::InvalidArgument));
  EXPECT_FALSE(sys::exists(sys::kCwd, root_ + "/missing").value());
  // A monitoring group that can't be made takes the group with it.
  wanted.clos_id.clear();
  wanted.enable_monitoring = true;
  EXPECT_FALSE(detail::join_rdt_group(root_, wanted, "box", 1));
  EXPECT_FALSE(sys::exists(sys::kCwd, root_ + "/box").value());
  wanted.enable_monitoring = false;
  wanted.clos_id = "/";
  const auto top = detail::join_rdt_group(root_, wanted, "box", 9).value();
  EXPECT_EQ(top.directory, root_);
  EXPECT_FALSE(top.made);
  EXPECT_EQ(read("tasks"), "9\n");
}

}  // namespace
}  // namespace runtime
