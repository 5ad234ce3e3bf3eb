/// The flags of bind mounts, from sources that have some: what is named, what is not, and what a user
/// namespace may not take away. As runc's mounts_sshfs.bats, which passes with this runtime.

#include <algorithm>

#include <sched.h>
#include <sys/mount.h>

#include "base/strings.h"
#include "runtime/test_bundle.h"
#include "sys/mount.h"
#include "sys/namespace.h"

namespace runtime {
namespace {

class BindFlagsTest : public BundleTest {
 protected:
  void SetUp() override {
    BundleTest::SetUp();
    if (IsSkipped()) return;
    home_ = sys::open_at(sys::kCwd, "/proc/self/ns/mnt", O_RDONLY).value();
    ASSERT_TRUE(sys::unshare_namespaces(CLONE_NEWNS));
    ASSERT_TRUE(sys::change_mount_at("/", {.propagation = MS_PRIVATE}, true));
    ASSERT_TRUE(sys::make_dirs(sys::kCwd, source(), 0755));
    ASSERT_EQ(::mount("tmpfs", source().c_str(), "tmpfs", 0, nullptr), 0);
    ASSERT_TRUE(sys::make_dirs(sys::kCwd, rootfs() + "/mnt", 0755));
    ASSERT_EQ(::chmod(root_.c_str(), 0755), 0);
  }
  void TearDown() override {
    if (home_) {
      EXPECT_EQ(::umount2(source().c_str(), MNT_DETACH), 0);
      EXPECT_TRUE(sys::enter_namespaces(home_.get(), CLONE_NEWNS));
    }
    BundleTest::TearDown();
  }
  [[nodiscard]] std::string source() const { return root_ + "/source"; }

  /// What the mount has in the container when the source has `flags` (MS_*): ",rw,noexec,", or the error.
  std::string bound(unsigned long flags, const std::vector<std::string>& options,
                    bool user_namespace = false) {
    EXPECT_EQ(::mount(nullptr, source().c_str(), nullptr, MS_REMOUNT | MS_BIND | flags, nullptr), 0);
    auto wanted = spec("grep ' /mnt ' /proc/self/mounts");
    if (user_namespace) {
      wanted.linux_section->namespaces.push_back({"user", {}});
      wanted.linux_section->uid_mappings = wanted.linux_section->gid_mappings = {{0, 100000, 65534}};
    }
    wanted.mounts.push_back({"/mnt", "bind", source(), options, {}, {}});
    const auto said = run(wanted);
    if (!said) return said.error().message();
    const auto fields = base::split_words(said->out, ' ');
    return fields.size() > 3 ? "," + std::string{fields[3]} + "," : said->out + said->err;
  }
  std::string bound_in_user_namespace(unsigned long flags, const std::vector<std::string>& options) {
    return bound(flags, options, true);
  }
  static testing::AssertionResult has(const std::string& text, std::string_view part) {
    if (text.find(part) != std::string::npos) return testing::AssertionSuccess();
    return testing::AssertionFailure() << part << " is not in " << text;
  }
  sys::UniqueFd home_;
};

constexpr unsigned long kSome = MS_RDONLY | MS_NOEXEC | MS_NODIRATIME;

TEST_F(BindFlagsTest, WithoutAFlagThoseOfTheSourceStay) {
  for (const bool user_namespace : {false, true}) {
    const auto found = bound(kSome, {"rbind", "rprivate"}, user_namespace);
    EXPECT_TRUE(has(found, ",ro,"));
    EXPECT_TRUE(has(found, ",noexec,"));
    EXPECT_TRUE(has(found, ",nodiratime,"));
  }
}

TEST_F(BindFlagsTest, OneFlagNamedSetsThemAll) {
  auto found = bound(kSome, {"bind", "dev"});
  EXPECT_TRUE(has(found, ",rw,"));
  EXPECT_FALSE(has(found, ",noexec,"));
  EXPECT_TRUE(has(found, ",nodiratime,")) << "access times are apart";
  found = bound(MS_NODEV | MS_NOSUID, {"bind", "ro"});
  EXPECT_TRUE(has(found, ",ro,"));
  EXPECT_FALSE(has(found, ",nodev,"));
  EXPECT_FALSE(has(found, ",nosuid,"));
}

TEST_F(BindFlagsTest, AccessTimesChangeOnlyWhenOneIsAskedFor) {
  EXPECT_TRUE(has(bound(MS_NOATIME, {"bind", "norelatime"}), ",noatime,"));
  EXPECT_TRUE(has(bound(MS_NOATIME, {"bind", "atime"}), ",noatime,"));
  EXPECT_TRUE(has(bound(MS_NOATIME, {"bind", "relatime"}), ",relatime,"));
  const auto found = bound(MS_NOATIME, {"bind", "nodiratime"});
  EXPECT_TRUE(has(found, ",nodiratime,"));
  EXPECT_TRUE(has(found, ",relatime,"));
  EXPECT_FALSE(has(bound(MS_NODIRATIME, {"bind", "strictatime"}), "atime"));
}

TEST_F(BindFlagsTest, AUserNamespaceTakesNothingAway) {
  auto found = bound_in_user_namespace(kSome, {"bind", "dev"});
  EXPECT_TRUE(has(found, ",ro,"));
  EXPECT_TRUE(has(found, ",noexec,"));
  found = bound_in_user_namespace(MS_RDONLY, {"bind", "nosuid", "nodev"});
  EXPECT_TRUE(has(found, ",ro,"));
  EXPECT_TRUE(has(found, ",nosuid,"));
  EXPECT_TRUE(has(bound_in_user_namespace(MS_RDONLY, {"bind", "rw"}), "operation not permitted"));
  EXPECT_TRUE(has(bound_in_user_namespace(MS_NOATIME, {"bind", "strictatime"}), "operation not permitted"));
  expect_nothing_left();
  EXPECT_TRUE(has(bound_in_user_namespace(MS_NOATIME, {"bind", "noatime"}), ",noatime,"));
}

}  // namespace
}  // namespace runtime
