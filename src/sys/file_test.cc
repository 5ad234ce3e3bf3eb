#include "sys/file.h"

#include <cstdlib>

#include <gtest/gtest.h>
#include <unistd.h>

#include "sys/socket.h"

namespace sys {
namespace {

class FileTest : public testing::Test {
 protected:
  FileTest() {
    std::string name = testing::TempDir() + "/caisson-file-XXXXXX";
    path_ = ::mkdtemp(name.data());
    dir_ = open_dir(kCwd, path_).value();
  }
  ~FileTest() override { EXPECT_TRUE(remove_tree(kCwd, path_)); }

  std::string path_;
  UniqueFd dir_;
};

TEST_F(FileTest, RootedPathsNeverLeaveTheRoot) {
  ASSERT_TRUE(make_dirs(dir_.get(), "root/etc", 0755));
  ASSERT_TRUE(write_file_atomic(dir_.get(), "secret", "outside"));
  ASSERT_TRUE(write_file_atomic(dir_.get(), "root/secret", "inside"));
  ASSERT_TRUE(symlink_at("../../../../secret", dir_.get(), "root/etc/up"));
  ASSERT_TRUE(symlink_at("/secret", dir_.get(), "root/etc/absolute"));
  ASSERT_TRUE(symlink_at("/proc/self/root", dir_.get(), "root/etc/magic"));
  const UniqueFd root = open_dir(dir_.get(), "root").value();
  for (const char* path : {"etc/up", "etc/absolute", "../secret", "/../../secret"}) {
    auto opened = open_in_root(root.get(), path, O_RDONLY);
    ASSERT_TRUE(opened) << path;
    EXPECT_EQ(read_to_end(opened->get()).value(), "inside") << path;
  }
  EXPECT_FALSE(open_in_root(root.get(), "etc/magic", O_RDONLY));
  EXPECT_FALSE(open_beneath_no_symlinks(root.get(), "etc/absolute", O_RDONLY));
}

TEST_F(FileTest, MakeDirsInRootFollowsLinksInside) {
  ASSERT_TRUE(make_dirs(dir_.get(), "root/real", 0755));
  ASSERT_TRUE(symlink_at("/real", dir_.get(), "root/link"));
  const UniqueFd root = open_dir(dir_.get(), "root").value();
  ASSERT_TRUE(make_dirs_in_root(root.get(), "/link/a/b", 0701));
  const auto status = stat_at(root.get(), "real/a/b").value();
  EXPECT_EQ(status.st_mode & 07777U, 0701U);
  ASSERT_TRUE(symlink_at("nowhere", dir_.get(), "root/dangling"));
  EXPECT_FALSE(make_dirs_in_root(root.get(), "/dangling/x"));
}

TEST_F(FileTest, ResolvesWhatIsMissingInsideTheRoot) {
  ASSERT_TRUE(make_dirs(dir_.get(), "root/etc", 0755));
  ASSERT_TRUE(symlink_at("../../../run/stub", dir_.get(), "root/etc/resolv.conf"));
  ASSERT_TRUE(symlink_at("loop", dir_.get(), "root/loop"));
  const UniqueFd root = open_dir(dir_.get(), "root").value();
  EXPECT_EQ(resolve_missing_in_root(root.get(), "/etc/resolv.conf").value(), "/run/stub");
  EXPECT_EQ(resolve_missing_in_root(root.get(), "/etc/./none/../x").value(), "/etc/x");
  EXPECT_EQ(resolve_missing_in_root(root.get(), "/../..").value(), "/");
  EXPECT_TRUE(resolve_missing_in_root(root.get(), "/loop/x").failed_as(base::ErrorKind::InvalidArgument));
}

TEST_F(FileTest, AtomicWriteLeavesNoTemporaryBehind) {
  ASSERT_TRUE(write_file_atomic(dir_.get(), "a", "1", 0600, Durability::PowerLoss));
  ASSERT_TRUE(write_file_atomic(dir_.get(), "a", "2", 0600));
  EXPECT_FALSE(write_file_atomic(dir_.get(), "missing/a", "2"));
  EXPECT_EQ(read_file(dir_.get(), "a").value(), "2");
  EXPECT_EQ(list_dir(dir_.get())->size(), 1U);
}

TEST_F(FileTest, RemoveTreeTakesLinksNotTheirTargets) {
  ASSERT_TRUE(make_dirs(dir_.get(), "tree/deep/deeper", 0755));
  ASSERT_TRUE(write_file_atomic(dir_.get(), "kept", "x"));
  ASSERT_TRUE(symlink_at("../kept", dir_.get(), "tree/link"));
  EXPECT_TRUE(remove_tree(dir_.get(), "tree"));
  EXPECT_TRUE(remove_tree(dir_.get(), "tree"));
  EXPECT_TRUE(exists(dir_.get(), "kept").value());
}

TEST_F(FileTest, MessagesCarryDescriptors) {
  auto pair = make_socket_pair(SOCK_SEQPACKET).value();
  ASSERT_TRUE(write_file_atomic(dir_.get(), "passed", "hello"));
  const UniqueFd file = open_at(dir_.get(), "passed", O_RDONLY).value();
  ASSERT_TRUE(send_message(pair.first.get(), "take it", {file.get()}));
  auto message = receive_message(pair.second.get(), 1024).value();
  ASSERT_TRUE(message);
  EXPECT_EQ(message->bytes, "take it");
  ASSERT_EQ(message->fds.size(), 1U);
  EXPECT_EQ(read_to_end(message->fds[0].get()).value(), "hello");
  pair.first.reset();
  EXPECT_FALSE(receive_message(pair.second.get(), 1024).value());
}

TEST_F(FileTest, SocketsOfAnyPathLength) {
  const std::string deep = path_ + "/" + std::string(100, 'd');
  ASSERT_TRUE(make_dirs(kCwd, deep, 0755));
  const UniqueFd listener = listen_unix(deep + "/s", SOCK_STREAM, 0600).value();
  EXPECT_TRUE(connect_unix(deep + "/s", SOCK_STREAM));
  const UniqueFd again = listen_unix(deep + "/s", SOCK_STREAM, 0600).value();
  EXPECT_TRUE(connect_unix(deep + "/none", SOCK_STREAM).failed_as(base::ErrorKind::NotFound));
  ASSERT_TRUE(write_file_atomic(kCwd, deep + "/file", ""));
  EXPECT_FALSE(listen_unix(deep + "/file", SOCK_STREAM, 0600));
}

}  // namespace
}  // namespace sys
