// What is mounted for a container and in it, seen from a host whose mounts are shared, as systemd makes them.
#include <sched.h>
#include <sys/mount.h>

#include "runtime/test_bundle.h"
#include "sys/mount.h"
#include "sys/namespace.h"

namespace runtime {
namespace {

class PropagationTest : public BundleTest {
 protected:
  void SetUp() override {
    BundleTest::SetUp();
    if (IsSkipped()) return;
    home_ = sys::open_at(sys::kCwd, "/proc/self/ns/mnt", O_RDONLY).value();
    ASSERT_TRUE(sys::unshare_namespaces(CLONE_NEWNS));
    // Cut from the real host first.
    ASSERT_TRUE(sys::change_mount_at("/", {.propagation = MS_PRIVATE}, true));
    ASSERT_TRUE(sys::change_mount_at("/", {.propagation = MS_SHARED}, true));
  }
  void TearDown() override {
    if (home_) {
      EXPECT_TRUE(sys::enter_namespaces(home_.get(), CLONE_NEWNS));
    }
    BundleTest::TearDown();
  }
  static std::string mounts() { return sys::read_file(sys::kCwd, "/proc/self/mountinfo").value(); }
  /// Whether something is mounted on the image's `path`.
  static bool mounted(const std::string& path) { return mounts().find("/rootfs" + path + " ") != std::string::npos; }
  /// A container that may mount.
  [[nodiscard]] spec::oci::Spec admin() const {
    auto wanted = spec("");
    auto& sets = *wanted.process->capabilities;
    for (auto* set : {&sets.bounding, &sets.effective, &sets.permitted}) set->emplace_back("CAP_SYS_ADMIN");
    return wanted;
  }
  void expect_done(Container& container, const spec::oci::Spec& wanted, const std::string& command) {
    auto process = *wanted.process;
    process.args = {"sh", "-c", command};
    const auto said = exec(container, process);
    EXPECT_TRUE(said && said->status == 0) << (said ? said->err : said.error().message());
  }

  void give_user_namespace(spec::oci::Spec& wanted) const {
    auto& section = *wanted.linux_section;
    section.namespaces.push_back({"user", {}});
    section.uid_mappings = {{0, 200000, 65536}};
    section.gid_mappings = section.uid_mappings;
    ASSERT_EQ(::chmod(root_.c_str(), 0755), 0);
  }

 private:
  sys::UniqueFd home_;
};

TEST_F(PropagationTest, NothingReachesTheHost) {
  ASSERT_TRUE(sys::make_dirs(sys::kCwd, rootfs() + "/work/inner", 0755));
  for (const bool user_namespace : {false, true}) {
    for (const char* word : {"", "rslave", "rprivate", "rshared"}) {
      auto wanted = admin();
      if (user_namespace) give_user_namespace(wanted);
      spec::oci::Mount bind{"/bound", "none", rootfs() + "/work", {"rbind"}, {}, {}};
      if (*word != '\0') bind.options.emplace_back(word);
      wanted.mounts.push_back(std::move(bind));
      wanted.mounts.push_back({"/bound/inner", "tmpfs", "tmpfs", {}, {}, {}});
      const std::string before = mounts();
      auto container = sleeping(wanted);
      expect_done(container, wanted, "mkdir /bound/inner/x && mount -t tmpfs none /bound/inner/x");
      EXPECT_EQ(mounts(), before) << user_namespace << word;
      ASSERT_TRUE(container.destroy(true));
    }
  }
}

TEST_F(PropagationTest, WhatIsSharedOnPurposeReachesTheHost) {
  ASSERT_TRUE(sys::make_dirs(sys::kCwd, rootfs() + "/work/inner", 0755));
  ASSERT_TRUE(sys::make_dirs(sys::kCwd, rootfs() + "/work/own", 0755));
  auto wanted = admin();
  wanted.linux_section->rootfs_propagation = "rshared";
  wanted.mounts.push_back({"/bound", "none", rootfs() + "/work", {"rbind", "rshared"}, {}, {}});
  wanted.mounts.push_back({"/kept", "none", rootfs() + "/work", {"rbind"}, {}, {}});
  const std::string before = mounts();
  auto container = sleeping(wanted);
  EXPECT_EQ(mounts(), before);
  expect_done(container, wanted, "mount -t tmpfs none /kept/own && mount -t tmpfs none /bound/inner");
  EXPECT_TRUE(mounted("/work/inner")) << mounts();
  EXPECT_FALSE(mounted("/work/own")) << mounts();
  ASSERT_TRUE(container.destroy(true));
  EXPECT_EQ(::umount2((rootfs() + "/work/inner").c_str(), MNT_DETACH), 0);
}

}  // namespace
}  // namespace runtime
