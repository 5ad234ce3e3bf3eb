// Volumes that are a mount: while somebody uses them, and no longer.

#include <cstdlib>

#include <sched.h>

#include <gtest/gtest.h>

#include "sys/file.h"
#include "sys/mount.h"
#include "sys/namespace.h"
#include "volume/mount.h"
#include "volume/store.h"

namespace volume {
namespace {

using Options = std::map<std::string, std::string>;

TEST(PlanMount, OptionsInTheWordsOfMount) {
  const MountPlan tmpfs = plan_mount({{"type", "tmpfs"}, {"device", "tmpfs"}, {"o", "size=1m,uid=7,nosuid,suid,ro,noexec"}});
  EXPECT_FALSE(tmpfs.bind);
  EXPECT_TRUE(tmpfs.read_only);
  EXPECT_EQ(tmpfs.set, static_cast<std::uint64_t>(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC));
  ASSERT_EQ(tmpfs.parameters.size(), 2U);
  EXPECT_EQ(tmpfs.parameters[0].key + "=" + tmpfs.parameters[0].value, "size=1m");
  const MountPlan nfs = plan_mount({{"type", "nfs"}, {"device", ":/export"}, {"o", "addr=10.0.0.1,nolock,rprivate,defaults"}});
  ASSERT_EQ(nfs.parameters.size(), 2U);
  EXPECT_TRUE(nfs.parameters[1].flag);
  EXPECT_TRUE(plan_mount({{"type", "none"}, {"device", "/x"}, {"o", "rbind"}}).recursive);
  EXPECT_TRUE(plan_mount({{"type", "none"}, {"device", "/x"}, {"o", "bind"}}).bind);
}

class Mounts : public testing::Test {
 protected:
  void SetUp() override {
    if (!sys::unshare_namespaces(CLONE_NEWNS) || !sys::change_mount_at("/", {.propagation = MS_PRIVATE}, true)) {
      GTEST_SKIP() << "needs root for a mount namespace";
    }
    char name[] = "/tmp/caisson-volume-XXXXXX";
    root_ = ::mkdtemp(name);
    reopen();
  }
  void TearDown() override {
    store_.reset();
    database_.reset();
    if (root_.empty()) return;
    EXPECT_TRUE(sys::remove_tree(sys::kCwd, root_));
  }
  void reopen() {
    store_.reset();
    database_.reset();
    database_ = state::Database::open(root_ + "/caisson.db").value();
    store_ = Store::open(root_ + "/volumes", *database_).value();
  }
  std::string make(const char* name, const Options& options) {
    return store_->create({.name = name, .options = options})->volume.mountpoint;
  }
  static bool mounted(const std::string& path) { return sys::is_mount_point(path).value(); }

  std::string root_;
  std::unique_ptr<state::Database> database_;
  std::unique_ptr<Store> store_;
};

TEST_F(Mounts, FromTheFirstUserToTheLast) {
  const std::string data = make("ram", {{"type", "tmpfs"}, {"device", "tmpfs"}, {"o", "size=1m"}});
  EXPECT_FALSE(mounted(data));
  ASSERT_TRUE(store_->acquire("ram", "a"));
  EXPECT_TRUE(mounted(data));
  ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, data + "/file", "x"));
  ASSERT_TRUE(store_->acquire("ram", "b"));
  ASSERT_TRUE(store_->acquire("ram", "b"));
  EXPECT_TRUE(sys::exists(sys::kCwd, data + "/file").value());  // not another one on top
  ASSERT_TRUE(store_->release("ram", "a"));
  EXPECT_TRUE(mounted(data));
  ASSERT_TRUE(store_->release("ram", "nobody"));
  EXPECT_TRUE(mounted(data));
  ASSERT_TRUE(store_->release("ram", "b"));
  EXPECT_FALSE(mounted(data));
  EXPECT_FALSE(sys::exists(sys::kCwd, data + "/file").value());
}

TEST_F(Mounts, RemovalNeverReachesWhatIsMounted) {
  ASSERT_TRUE(sys::make_dirs(sys::kCwd, root_ + "/precious", 0755));
  ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, root_ + "/precious/file", "x"));
  const Options options{{"type", "none"}, {"device", root_ + "/precious"}, {"o", "bind"}};
  const std::string data = make("bound", options);
  ASSERT_TRUE(store_->acquire("bound", "a"));
  EXPECT_TRUE(sys::exists(sys::kCwd, data + "/file").value());
  ASSERT_TRUE(store_->remove("bound"));
  EXPECT_TRUE(sys::exists(sys::kCwd, root_ + "/precious/file").value());
  // The same for a directory that a crash left, with its mount and without a row.
  ASSERT_TRUE(sys::make_dirs(sys::kCwd, root_ + "/volumes/lost/_data", 0755));
  ASSERT_TRUE(mount_on(plan_mount(options), root_ + "/volumes/lost/_data"));
  reopen();
  EXPECT_FALSE(sys::exists(sys::kCwd, root_ + "/volumes/lost").value());
  EXPECT_TRUE(sys::exists(sys::kCwd, root_ + "/precious/file").value());
}

TEST_F(Mounts, AMountOfADaemonThatDiedIsTakenOverOrUndone) {
  const std::string used = make("used", {{"type", "tmpfs"}, {"device", "tmpfs"}});
  const std::string left = make("left", {{"type", "tmpfs"}, {"device", "tmpfs"}});
  ASSERT_TRUE(store_->acquire("used", "a"));
  ASSERT_TRUE(store_->acquire("left", "a"));
  ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, used + "/file", "x"));
  reopen();
  ASSERT_TRUE(store_->acquire("used", "a"));
  store_->release_unused();
  EXPECT_TRUE(sys::exists(sys::kCwd, used + "/file").value());
  EXPECT_FALSE(mounted(left));
  ASSERT_TRUE(store_->release("used", "a"));
  EXPECT_FALSE(mounted(used));
}

TEST_F(Mounts, WhatCantBeMountedIsSaid) {
  make("bad", {{"type", "none"}, {"device", root_ + "/nowhere"}, {"o", "bind"}});
  const auto failed = store_->acquire("bad", "a");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message().find("failed to mount local volume: mount " + root_ + "/nowhere:"), 0U)
      << failed.error().message();
  EXPECT_NE(failed.error().message().find("No such file or directory"), std::string::npos);
  make("odd", {{"type", "nosuchfs"}, {"device", "x"}});
  EXPECT_FALSE(store_->acquire("odd", "a"));
  EXPECT_TRUE(store_->acquire("nobody", "a").failed_as(base::ErrorKind::NotFound));
  const std::string plain = make("plain", {});
  ASSERT_TRUE(store_->acquire("plain", "a"));
  EXPECT_FALSE(mounted(plain));
}

}  // namespace
}  // namespace volume
