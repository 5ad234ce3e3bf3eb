/// Containers without a mount namespace of their own, and id maps that helpers write.

#include <cstdlib>

#include <sched.h>
#include <sys/mount.h>

#include <fmt/format.h>

#include "base/scope_guard.h"
#include "base/strings.h"
#include "runtime/detail/id_maps.h"
#include "runtime/test_bundle.h"
#include "sys/mount.h"
#include "sys/namespace.h"

namespace runtime {
namespace {

class ForeignMountNamespaceTest : public BundleTest {
 protected:
  void SetUp() override {
    BundleTest::SetUp();
    if (IsSkipped()) return;
    home_ = sys::open_at(sys::kCwd, "/proc/self/ns/mnt", O_RDONLY).value();
    ASSERT_TRUE(sys::unshare_namespaces(CLONE_NEWNS));
    // Shared, as a host's are: the worst case for what is mounted for a container.
    ASSERT_TRUE(sys::change_mount_at("/", {.propagation = MS_PRIVATE}, true));
    ASSERT_TRUE(sys::change_mount_at("/", {.propagation = MS_SHARED}, true));
    before_ = mountinfo("self");
  }
  void TearDown() override {
    if (home_) {
      EXPECT_TRUE(sys::enter_namespaces(home_.get(), CLONE_NEWNS));
    }
    BundleTest::TearDown();
  }
  static std::string mountinfo(const std::string& pid) { return sys::read_file(sys::kCwd, "/proc/" + pid + "/mountinfo").value(); }
  static std::string own_namespace() { return sys::read_link(sys::kCwd, "/proc/self/ns/mnt").value(); }
  [[nodiscard]] spec::oci::Spec spec_in(const std::string& command, const std::string& path) const {
    auto wanted = spec(command);
    std::erase_if(wanted.linux_section->namespaces, [](const auto& one) { return one.type == "mount"; });
    if (!path.empty()) wanted.linux_section->namespaces.push_back({"mount", path});
    return wanted;
  }
  sys::UniqueFd home_;
  std::string before_;
};

TEST_F(ForeignMountNamespaceTest, IsInheritedWhenNoneIsListed) {
  auto said = run(spec_in("readlink /proc/self/ns/mnt; ls /; test -c /dev/null && wc -c < /proc/keys; echo x > /proc/sys/kernel/hostname", ""));
  ASSERT_SAID(said);
  EXPECT_TRUE(said->out.starts_with(own_namespace() + "\nbin\ndev\n")) << said->out << said->err;
  EXPECT_TRUE(said->out.ends_with("0\n")) << said->out << said->err;
  EXPECT_NE(said->err.find("Read-only"), std::string::npos) << said->err;
  EXPECT_EQ(mountinfo("self"), before_);

  // After an error, too.
  auto wanted = spec_in("true", "");
  wanted.mounts.push_back({"/m", "bind", "/nowhere", {}, {}, {}});
  EXPECT_FALSE(run(wanted));
  expect_nothing_left();
  EXPECT_EQ(mountinfo("self"), before_);
}

TEST_F(ForeignMountNamespaceTest, ExecEntersTheContainersRoot) {
  Container container = sleeping(spec_in("", ""));
  const auto said = exec(container, "ls /; readlink /proc/1/exe");
  ASSERT_SAID(said);
  EXPECT_TRUE(said->out.starts_with("bin\ndev\n")) << said->out << said->err;
  ASSERT_TRUE(container.destroy(true));
  EXPECT_EQ(mountinfo("self"), before_);
}

TEST_F(ForeignMountNamespaceTest, IsJoinedByPath) {
  const auto ready = sys::make_pipe().value();
  const sys::Process other = sys::clone_process({.flags = CLONE_NEWNS}).value();
  if (!other.valid()) {
    static_cast<void>(sys::write_some(ready.write.get(), "x").has_value());
    while (true) ::pause();
  }
  const base::ScopeGuard reap{[&] {
    EXPECT_TRUE(other.signal(SIGKILL));
    EXPECT_TRUE(other.wait());
  }};
  sys::wait_readable(ready.read.get());
  const std::string pid = fmt::format("{}", other.pid());
  const std::string theirs = mountinfo(pid);
  const auto said = run(spec_in("readlink /proc/self/ns/mnt; ls /", "/proc/" + pid + "/ns/mnt"));
  ASSERT_SAID(said);
  const std::string expected = sys::read_link(sys::kCwd, "/proc/" + pid + "/ns/mnt").value();
  EXPECT_NE(expected, own_namespace());
  EXPECT_TRUE(said->out.starts_with(expected + "\nbin\ndev\n")) << said->out << said->err;
  EXPECT_EQ(mountinfo("self"), before_);
  EXPECT_EQ(mountinfo(pid), theirs);
}

TEST(IdMaps, AreWrittenByHelpersForWhoIsNotRoot) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to give it up";
  std::string name = testing::TempDir() + "/caisson-maps-XXXXXX";
  const std::string directory = ::mkdtemp(name.data());
  const base::ScopeGuard clean{[&] { EXPECT_TRUE(sys::remove_tree(sys::kCwd, directory)); }};
  ASSERT_EQ(::chmod(directory.c_str(), 0777), 0);
  ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, directory + "/newuidmap", "#!/bin/sh\necho \"$0 $@\" >> " + directory + "/said\n", 0755));
  ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, directory + "/newgidmap", "#!/bin/sh\necho no such range >&2; exit 1\n", 0755));
  const pid_t child = ::fork();
  if (child == 0) {
    constexpr uid_t kNobody = 65534;
    if (::setresuid(kNobody, kNobody, kNobody) != 0 || ::setenv("PATH", directory.c_str(), 1) != 0) ::_exit(2);
    const std::vector<sys::IdRange> ranges{{0, kNobody, 1}, {1, 100000, 65536}};
    const auto written = detail::map_ids(4711, ranges, ranges);
    const bool told = !written && written.error().message() == "newgidmap failed: no such range";
    ::setenv("PATH", "/nowhere", 1);
    ::_exit(told && detail::map_ids(4711, ranges, ranges).failed_as(base::ErrorKind::NotFound) ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(sys::read_file(sys::kCwd, directory + "/said").value_or(""), directory + "/newuidmap 4711 0 65534 1 1 100000 65536\n");
}

}  // namespace
}  // namespace runtime
