#pragma once
/// For tests: a bundle with a root of busybox, docker's default configuration, and what a container
/// said. Everything it makes, cgroups included, is gone afterwards.

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/id.h"
#include "runtime/container.h"
#include "sys/file.h"

namespace runtime {

struct Said {
  int status = -1;
  std::string out;
  std::string err;
};

class BundleTest : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    if (::access("/bin/busybox", X_OK) != 0) GTEST_SKIP() << "needs busybox-static";
    std::string name = testing::TempDir() + "/caisson-runtime-XXXXXX";
    root_ = ::mkdtemp(name.data());
    ASSERT_TRUE(sys::make_dirs(sys::kCwd, rootfs() + "/bin", 0755));
    for (const char* directory : {"/proc", "/sys", "/dev", "/etc", "/tmp"}) {
      ASSERT_TRUE(sys::make_dir(sys::kCwd, rootfs() + directory, 0755));
    }
    const std::string busybox = sys::read_file(sys::kCwd, "/bin/busybox").value();
    ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, rootfs() + "/bin/busybox", busybox, 0755));
    for (const char* tool : {"sh", "cat", "echo", "ls", "id", "true", "false", "sleep", "readlink", "stat", "mount",
                             "mkdir", "touch", "hostname", "grep", "wc", "tty", "stty", "head", "kill", "mknod", "umask",
                             "pwd", "test", "env", "dd", "rm", "ln", "dnsdomainname"}) {
      ASSERT_TRUE(sys::symlink_at("busybox", sys::kCwd, rootfs() + "/bin/" + tool));
    }
  }
  void TearDown() override {
    if (root_.empty()) return;
    const auto left = Container::list(state_root());
    for (const auto& state : left ? *left : std::vector<State>{}) {
      auto container = Container::load(state_root(), state.id);
      if (container) {
        EXPECT_TRUE(container->destroy(true));
      }
    }
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    EXPECT_TRUE(sys::remove_tree(sys::kCwd, root_));
    const auto host = cgroup::Host::detect();
    auto parent = host ? cgroup::Cgroup::plan(*host, cgroup_) : base::Result<cgroup::Cgroup>{base::not_found("")};
    if (parent) {
      EXPECT_TRUE(parent->remove());
    }
  }

  [[nodiscard]] std::string rootfs() const { return root_ + "/rootfs"; }
  [[nodiscard]] std::string state_root() const { return root_ + "/state"; }

  /// Docker's defaults, running `command` with sh.
  [[nodiscard]] spec::oci::Spec spec(const std::string& command) const {
    spec::oci::Spec out;
    out.oci_version = "1.2.0";
    auto& process = out.process.emplace();
    process.args = {"sh", "-c", command};
    process.env = {"PATH=/bin:/usr/bin"};
    const std::vector<std::string> caps{"CAP_CHOWN",   "CAP_DAC_OVERRIDE", "CAP_FSETID",  "CAP_FOWNER", "CAP_MKNOD",
                                        "CAP_NET_RAW", "CAP_SETGID",       "CAP_SETUID",  "CAP_SETFCAP", "CAP_SETPCAP",
                                        "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE"};
    process.capabilities = spec::oci::Capabilities{caps, caps, {}, caps, {}};
    out.root = spec::oci::Root{rootfs(), false};
    out.hostname = "box";
    out.mounts = {
        {"/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}, {}, {}},
        {"/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}, {}, {}},
        {"/dev/pts", "devpts", "devpts", {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}, {}, {}},
        {"/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}, {}, {}},
        {"/sys/fs/cgroup", "cgroup", "cgroup", {"ro", "nosuid", "noexec", "nodev"}, {}, {}},
        {"/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}, {}, {}},
        {"/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777", "size=67108864"}, {}, {}},
    };
    auto& section = out.linux_section.emplace();
    section.cgroups_path = cgroup_ + "/c";
    section.resources.emplace().devices = {{false, "", {}, {}, "rwm"}};
    for (const char* type : {"mount", "network", "uts", "pid", "ipc"}) section.namespaces.push_back({type, {}});
    section.masked_paths = {"/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/acpi", "/sys/firmware", "/proc/nowhere"};
    section.readonly_paths = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};
    return out;
  }

  struct Pipes {
    sys::Pipe out;
    sys::Pipe err;
  };
  [[nodiscard]] static Pipes pipes() { return {sys::make_pipe().value(), sys::make_pipe().value()}; }
  [[nodiscard]] static Stdio stdio(Pipes& from) {
    return {sys::open_at(sys::kCwd, "/dev/null", O_RDONLY).value(), std::move(from.out.write), std::move(from.err.write)};
  }
  [[nodiscard]] CreateOptions options(const std::string& id = "c") const {
    CreateOptions out;
    out.id = id;
    out.bundle = root_;
    out.state_root = state_root();
    return out;
  }

  /// Creates, runs to the end, destroys.
  base::Result<Said> run(const spec::oci::Spec& spec, CreateOptions options) {
    Pipes ends = pipes();
    if (!options.stdio.in) options.stdio = stdio(ends);
    options.start_at_once = true;
    auto container = TRY(Container::create(spec, std::move(options)));
    Said said;
    said.out = TRY(sys::read_to_end(ends.out.read.get()));
    said.err = TRY(sys::read_to_end(ends.err.read.get()));
    said.status = TRY(container.wait()).shell_code();
    TRY(container.destroy());
    return said;
  }
  base::Result<Said> run(const spec::oci::Spec& spec) { return run(spec, options()); }
  base::Result<Said> run(const std::string& command) { return run(spec(command)); }

  /// A container that sleeps.
  Container sleeping(spec::oci::Spec wanted, const std::string& id = "c") {
    wanted.process->args = {"sleep", "1000"};
    CreateOptions with = options(id);
    with.start_at_once = true;
    auto made = Container::create(wanted, std::move(with));
    EXPECT_TRUE(made) << made.error().message();
    return std::move(*made);
  }
  Container sleeping() { return sleeping(spec("")); }

  base::Result<Said> exec(Container& container, const spec::oci::Process& process) {
    Pipes ends = pipes();
    ExecOptions with;
    with.stdio = stdio(ends);
    const auto handle = TRY(container.exec(process, std::move(with)));
    Said said;
    said.out = TRY(sys::read_to_end(ends.out.read.get()));
    said.err = TRY(sys::read_to_end(ends.err.read.get()));
    said.status = TRY(handle.process.wait()).shell_code();
    return said;
  }
  base::Result<Said> exec(Container& container, const std::string& command) {
    return exec(container, *spec(command).process);
  }

  /// Nothing of a failed create may stay.
  void expect_nothing_left() const {
    const auto left = Container::list(state_root());
    EXPECT_TRUE(left && left->empty());
    const auto entries = sys::list_dir(sys::kCwd, state_root());
    for (const auto& entry : entries ? *entries : std::vector<sys::DirEntry>{}) {
      EXPECT_TRUE(entry.name.starts_with('.')) << entry.name;
    }
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child was not reaped";
    const auto host = cgroup::Host::detect();
    const auto planned = cgroup::Cgroup::plan(*host, cgroup_ + "/c").value();
    for (const auto& directory : planned.directories()) {
      EXPECT_FALSE(sys::exists(sys::kCwd, directory).value()) << directory;
    }
  }

  std::string root_;
  std::string cgroup_ = "/caisson-test-" + base::random_hex(12);
};

#define ASSERT_SAID(said) ASSERT_TRUE(said) << (said).error().message()

}  // namespace runtime
