/// Archives come out of their recipes as they went in, or no recipe is made.

#include "layer/recipe.h"

#include <gtest/gtest.h>

#include "layer/apply.h"
#include "layer/test_tree.h"

namespace layer {
namespace {

using testing::TemporaryDir;

class RecipeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "owners need root";
  }
  std::optional<std::string> record(const std::string& tar) {
    folder_ = dir_.make("layer" + std::to_string(++count_));
    RecipeRecorder recorder;
    base::StringSource source{tar};
    const auto applied = apply(source, folder_.get(), {}, &recorder);
    EXPECT_TRUE(applied) << applied.error().message();
    return recorder.finish().value();
  }
  base::Result<std::string> again(const std::string& recipe) {
    const auto source = TRY(rebuild(recipe, sys::duplicate(folder_.get()).value()));
    return base::read_all(*source, std::size_t{1} << 28U);
  }
  void expect_same(const std::string& tar) {
    const auto recipe = record(tar);
    ASSERT_TRUE(recipe);
    const auto made = again(*recipe);
    ASSERT_TRUE(made) << made.error().message();
    EXPECT_TRUE(*made == tar) << made->size() << " bytes of " << tar.size();
  }
  /// With GNU tar, of some files with everything that a layer may have.
  std::string gnu_tar(const std::string& options, const std::string& more = {}) {
    const std::string root = dir_.path() + "/root";
    const std::string archive = dir_.path() + "/archive.tar";
    const std::string script =
        "set -e; rm -rf " + root + "; mkdir -p " + root + "/usr/lib; cd " + root +
        "; ln -s usr/lib lib; echo short > lib/a; head -c 100000 /dev/urandom > lib/b; ln lib/b lib/c; : > empty; "
        "mkfifo pipe; n=$(printf 'long%.0s' $(seq 60)); echo deep > usr/$n; ln -s $n usr/link; head -c 1536 /dev/zero > block; " +
        (more.empty() ? "true" : more) + "; tar " + options + " -cf " + archive + " .";
    EXPECT_EQ(std::system(script.c_str()), 0);
    return sys::read_file(sys::kCwd, archive, std::size_t{1} << 28U).value();
  }

  TemporaryDir dir_;
  sys::UniqueFd folder_;
  int count_ = 0;
};

TEST_F(RecipeTest, EveryFormatOfGnuTar) {
  for (const char* format : {"--format=gnu", "--format=pax", "--format=ustar", "--format=oldgnu", "--format=v7",
                             "--format=pax --pax-option=globexthdr.name=x --xattrs", "--blocking-factor=1"}) {
    if (std::string_view{format} == "--format=ustar" || std::string_view{format} == "--format=v7") continue;  // no long names
    SCOPED_TRACE(format);
    const std::string tar = gnu_tar(format);
    EXPECT_GT(tar.size(), 100'000U);
    expect_same(tar);
  }
}

TEST_F(RecipeTest, ARecipeIsSmall) {
  base::StringSink sink;
  codec::TarWriter tar{sink};
  for (int i = 0; i < 2000; ++i) {
    codec::TarEntry entry;
    entry.path = "usr/share/doc/package-" + std::to_string(i / 5) + "/file-" + std::to_string(i);
    entry.mode = 0644;
    entry.size = 3000;
    entry.mtime.tv_sec = 1'700'000'000 + i;
    ASSERT_TRUE(tar.add(entry));
    ASSERT_TRUE(tar.write(std::string(3000, static_cast<char>(i))));
  }
  ASSERT_TRUE(tar.finish());
  const auto recipe = record(sink.text);
  ASSERT_TRUE(recipe);
  EXPECT_LT(recipe->size(), 2000U * 40U);
  EXPECT_EQ(again(*recipe).value(), sink.text);
}

TEST_F(RecipeTest, WhatIsBeyondIt) {
  EXPECT_FALSE(record(gnu_tar("--format=gnu --sparse", "truncate -s 1M hole"))) << "old GNU sparse files";
  EXPECT_FALSE(record(gnu_tar("--format=pax --sparse", "truncate -s 1M hole"))) << "pax sparse files";
  base::StringSink sink;
  codec::TarWriter tar{sink};
  codec::TarEntry entry;
  entry.path = "dir/.wh.gone";
  entry.mode = 0644;
  entry.size = 3;
  ASSERT_TRUE(tar.add(entry));
  ASSERT_TRUE(tar.write("abc"));
  ASSERT_TRUE(tar.finish());
  EXPECT_FALSE(record(sink.text)) << "a whiteout's content is nowhere";
}

TEST_F(RecipeTest, ANameTwiceDoesNotComeOutTheSame) {
  base::StringSink sink;
  codec::TarWriter tar{sink};
  for (const char* text : {"one", "two"}) {
    codec::TarEntry entry;
    entry.path = "same";
    entry.mode = 0644;
    entry.size = 3;
    ASSERT_TRUE(tar.add(entry));
    ASSERT_TRUE(tar.write(text));
  }
  ASSERT_TRUE(tar.finish());
  const auto recipe = record(sink.text);
  ASSERT_TRUE(recipe);
  EXPECT_NE(again(*recipe).value(), sink.text);
}

TEST_F(RecipeTest, ChangesShow) {
  const auto tar = gnu_tar("--format=gnu");
  const auto recipe = record(tar).value();
  ASSERT_TRUE(sys::write_file_atomic(folder_.get(), "usr/lib/a", "short, not"));
  EXPECT_TRUE(again(recipe).failed_as(base::ErrorKind::InvalidArgument));
  ASSERT_TRUE(sys::unlink_at(folder_.get(), "usr/lib/a"));
  EXPECT_FALSE(again(recipe));
  ASSERT_TRUE(sys::symlink_at("/etc/hostname", folder_.get(), "usr/lib/a"));
  EXPECT_FALSE(again(recipe)) << "nothing is followed out of the layer";
}

TEST_F(RecipeTest, ADamagedRecipeIsRefused) {
  const auto recipe = record(gnu_tar("--format=gnu")).value();
  EXPECT_FALSE(again(""));
  EXPECT_FALSE(again("caisson-recipe 1\n"));
  EXPECT_FALSE(again("caisson-recipe 1\nffffffffffffffff" + recipe.substr(33)));
  for (std::size_t size = 0; size < recipe.size(); size += recipe.size() / 50 + 1) {
    EXPECT_FALSE(again(recipe.substr(0, size))) << size;
  }
}

}  // namespace
}  // namespace layer
