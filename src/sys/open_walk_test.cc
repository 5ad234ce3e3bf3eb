/// The walk by hand agrees with openat2(2), on a tree full of traps.

#include "sys/detail/open_walk.h"

#include <array>
#include <cstdlib>

#include <gtest/gtest.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/file.h"

namespace sys::detail {
namespace {

class OpenWalkTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "/caisson-walk-XXXXXX";
    base_ = ::mkdtemp(name.data());
    ASSERT_TRUE(make_dirs(kCwd, base_ + "/root/a/b", 0755));
    ASSERT_TRUE(write_file_atomic(kCwd, base_ + "/root/a/b/f", "x"));
    ASSERT_TRUE(write_file_atomic(kCwd, base_ + "/outside", "y"));
    const std::array<std::pair<const char*, const char*>, 11> links{{{"up", "../../.."}, {"abs", "/a/b"}, {"rel", "a/b/f"}, {"out", "../outside"},
                                                                     {"loop", "loop"}, {"chain", "abs/../../rel"}, {"gone", "a/none"},
                                                                     {"dir", "a/b/"}, {"dot", "."}, {"root", "/"}, {"abs-gone", "/a/new"}}};
    for (const auto& [link, target] : links) ASSERT_TRUE(symlink_at(target, kCwd, base_ + "/root/" + link));
    root_ = open_dir(kCwd, base_ + "/root").value();
  }
  void TearDown() override { EXPECT_TRUE(remove_tree(kCwd, base_)); }

  /// errno, or 0 and what was found.
  struct Found {
    int error = 0;
    dev_t device = 0;
    ino_t inode = 0;
    bool operator==(const Found&) const = default;
  };
  static Found found(int fd) {
    struct ::stat status {};
    EXPECT_EQ(::fstat(fd, &status), 0);
    return {0, status.st_dev, status.st_ino};
  }
  static Found by_kernel(int root, const std::string& path, int flags, Walk how) {
    struct ::open_how wanted {};
    wanted.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
    if ((flags & O_CREAT) != 0) wanted.mode = 0600;
    wanted.resolve = how == Walk::InRoot ? RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS : RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    const UniqueFd fd{static_cast<int>(::syscall(SYS_openat2, root, path.c_str(), &wanted, sizeof wanted))};
    return fd ? found(fd.get()) : Found{errno};
  }
  static Found by_hand(int root, const std::string& path, int flags, Walk how) {
    const auto fd = open_walk(root, path, flags, 0600, how);
    return fd ? found(fd->get()) : Found{fd.error().errno_value()};
  }

  std::string base_;
  UniqueFd root_;
};

TEST_F(OpenWalkTest, AgreesWithTheKernel) {
  for (const char* path : {"/", ".", "..", "", "a", "/a/", "a/b/f", "a/b/f/", "a/b/f/x", "a//b/./f", "../../a/b", "a/../../a/b/f", "up", "up/a", "up/up/rel",
                           "abs", "abs/f", "rel", "rel/", "out", "loop", "loop/x", "chain", "gone", "gone/x", "dir", "dir/f", "dot/dot/a", "root/root/a",
                           "none", "none/x", "a/none", "abs/../b/f"}) {
    for (const int flags : {O_RDONLY, O_PATH, O_PATH | O_NOFOLLOW, O_RDONLY | O_NOFOLLOW, O_PATH | O_DIRECTORY, O_RDONLY | O_DIRECTORY}) {
      for (const Walk how : {Walk::InRoot, Walk::BeneathNoSymlinks}) {
        EXPECT_EQ(by_hand(root_.get(), path, flags, how), by_kernel(root_.get(), path, flags, how))
            << path << " flags " << flags << " how " << static_cast<int>(how) << ": " << by_hand(root_.get(), path, flags, how).error << " and "
            << by_kernel(root_.get(), path, flags, how).error;
      }
    }
  }
}

TEST_F(OpenWalkTest, RefusesLinksThatJump) {
  const auto proc = open_at(kCwd, "/proc", O_PATH | O_DIRECTORY).value();
  for (const char* path : {"self/exe", "self/root", "self/root/etc", "self/cwd/x", "self/fd/0", "self/ns/mnt", "self/status", "thread-self/status", "mounts"}) {
    EXPECT_EQ(by_hand(proc.get(), path, O_PATH, Walk::InRoot).error, by_kernel(proc.get(), path, O_PATH, Walk::InRoot).error) << path;
  }
}

TEST_F(OpenWalkTest, CreatesWhereTheKernelWould) {
  for (const char* path : {"a/made", "abs-gone", "gone", "up/made"}) {
    const auto made = open_walk(root_.get(), path, O_WRONLY | O_CREAT, 0600, Walk::InRoot);
    ASSERT_TRUE(made) << path << made.error().message();
    EXPECT_EQ(found(made->get()), by_kernel(root_.get(), path, O_PATH, Walk::InRoot)) << path;
    EXPECT_EQ(by_hand(root_.get(), path, O_WRONLY | O_CREAT | O_EXCL, Walk::InRoot).error, EEXIST) << path;
  }
  EXPECT_TRUE(exists(kCwd, base_ + "/root/made").value());
  EXPECT_TRUE(exists(kCwd, base_ + "/root/a/none").value());
  EXPECT_EQ(by_hand(root_.get(), "loop", O_WRONLY | O_CREAT | O_EXCL, Walk::InRoot).error, EEXIST);
}

}  // namespace
}  // namespace sys::detail
