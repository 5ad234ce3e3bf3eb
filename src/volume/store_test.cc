#include "volume/store.h"

#include <cstdlib>

#include <gtest/gtest.h>

#include "sys/file.h"

namespace volume {
namespace {

class Volumes : public testing::Test {
 protected:
  Volumes() {
    char name[] = "/tmp/caisson-volume-XXXXXX";
    root_ = ::mkdtemp(name);
    reopen();
  }
  ~Volumes() override {
    store_.reset();
    database_.reset();
    EXPECT_TRUE(sys::remove_tree(sys::kCwd, root_));
  }
  void reopen() {
    store_.reset();
    database_.reset();
    database_ = state::Database::open(root_ + "/caisson.db").value();
    store_ = Store::open(root_ + "/volumes", *database_).value();
  }

  std::string root_;
  std::unique_ptr<state::Database> database_;
  std::unique_ptr<Store> store_;
};

TEST_F(Volumes, LiveAcrossARestart) {
  const auto made = store_->create({.name = "data", .labels = {{"a", "b"}}}).value();
  EXPECT_TRUE(made.is_new);
  ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, made.volume.mountpoint + "/file", "x"));
  reopen();
  const auto volume = store_->get("data").value();
  EXPECT_EQ(volume.labels.at("a"), "b");
  EXPECT_EQ(volume.mountpoint, root_ + "/volumes/data/_data");
  EXPECT_FALSE(store_->is_empty(volume).value());
  EXPECT_GT(store_->usage(volume).value(), 0U);
}

TEST_F(Volumes, CreatingWhatIsThereGivesIt) {
  ASSERT_TRUE(store_->create({.name = "data"}));
  EXPECT_FALSE(store_->create({.name = "data"})->is_new);
  EXPECT_TRUE(store_->create({.name = "data", .options = {{"type", "tmpfs"}, {"device", "tmpfs"}}})
                  .failed_as(base::ErrorKind::Conflict));
}

TEST_F(Volumes, RemovalTakesTheFiles) {
  const auto volume = store_->create({.name = "data"})->volume;
  ASSERT_TRUE(store_->remove("data"));
  EXPECT_FALSE(sys::exists(sys::kCwd, volume.mountpoint).value());
  EXPECT_EQ(store_->remove("data").error().message(), "get data: no such volume");
  EXPECT_TRUE(store_->create({.name = "data"})->is_new);
}

TEST_F(Volumes, ADirectoryWithoutARecordIsCollected) {
  ASSERT_TRUE(sys::make_dirs(sys::kCwd, root_ + "/volumes/lost/_data", 0755));
  reopen();
  EXPECT_FALSE(sys::exists(sys::kCwd, root_ + "/volumes/lost").value());
}

TEST_F(Volumes, NamesAndOptionsAreChecked) {
  for (const char* name : {"a", "../x", "-x", "a/b", "a b", ".."}) {
    EXPECT_TRUE(store_->create({.name = name}).failed_as(base::ErrorKind::InvalidArgument)) << name;
  }
  EXPECT_EQ(store_->create({.name = "x1", .options = {{"colour", "red"}}}).error().message(),
            "create x1: invalid option: \"colour\"");
  EXPECT_TRUE(store_->create({.name = "x1", .options = {{"o", "ro"}}}).failed_as(base::ErrorKind::InvalidArgument));
  EXPECT_TRUE(store_->create({.name = "x1", .driver = "nfs"}).failed_as(base::ErrorKind::NotFound));
  EXPECT_EQ(store_->list().size(), 0U);
}

TEST_F(Volumes, WithoutANameAnId) { EXPECT_EQ(store_->create({})->volume.name.size(), 64U); }

}  // namespace
}  // namespace volume
