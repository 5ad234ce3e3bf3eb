#include "tree/glob.h"

#include <cstdlib>

#include <gmock/gmock.h>

#include "sys/file.h"

namespace tree {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Glob, MatchesOneComponent) {
  for (const auto& [pattern, name] : std::vector<std::pair<const char*, const char*>>{
           {"*", "a"},       {"*.conf", "x.conf"}, {"a*b*c", "aXbYbZc"}, {"?", "x"},       {"[a-c]x", "bx"},
           {"[!a]", "b"},    {"[^a]", "b"},        {"[]]", "]"},         {"[a", "[a"},     {"\\*", "*"},
           {"[\\]]", "]"},   {".*", ".x"},         {"\\.x", ".x"},       {"a[-]b", "a-b"}, {"**", "abc"},
           {"[a-]", "-"},    {"", ""},             {"*a", "aaa"}}) {
    EXPECT_TRUE(matches(pattern, name)) << pattern << " " << name;
  }
  for (const auto& [pattern, name] : std::vector<std::pair<const char*, const char*>>{
           {"*", ".x"},   {"?", ""},      {"?", "ab"},   {"[a-c]", "d"}, {"[!a]", "a"}, {"\\*", "a"},
           {"*.conf", "conf"}, {"a", "A"}, {"?x", ".x"}, {"[.]x", ".x"}, {"", "a"}}) {
    EXPECT_FALSE(matches(pattern, name)) << pattern << " " << name;
  }
}

TEST(Glob, ManyStarsTakeNoLonger) {
  std::string pattern;
  for (int i = 0; i < 100; ++i) pattern += "*a";
  EXPECT_FALSE(matches(pattern + "b", std::string(255, 'a')));
  EXPECT_TRUE(matches(pattern, std::string(255, 'a')));
}

class ExpandTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(::mkdtemp(directory_.data()), nullptr);
    root_ = *sys::open_dir(sys::kCwd, directory_);
    ASSERT_TRUE(sys::make_dirs(root_.get(), "etc/a", 0755));
    ASSERT_TRUE(sys::make_dirs(root_.get(), "etc/b", 0755));
    for (const char* file : {"etc/x.conf", "etc/y.conf", "etc/.hidden", "etc/a/f", "etc/b/f", "etc/[x]"}) {
      ASSERT_TRUE(sys::write_file_atomic(root_.get(), file, "x"));
    }
    ASSERT_TRUE(sys::symlink_at("/etc", root_.get(), "link"));
    ASSERT_TRUE(sys::symlink_at("../../../../../..", root_.get(), "out"));
    ASSERT_TRUE(sys::symlink_at("nowhere", root_.get(), "etc/dangling"));
  }
  void TearDown() override { EXPECT_TRUE(sys::remove_tree(sys::kCwd, directory_)); }
  [[nodiscard]] std::vector<std::string> paths(std::string_view pattern) const {
    const auto found = expand(root_.get(), pattern, 100);
    EXPECT_TRUE(found);
    return found ? *found : std::vector<std::string>{};
  }
  std::string directory_ = "/tmp/glob-XXXXXX";
  sys::UniqueFd root_;
};

TEST_F(ExpandTest, FindsPaths) {
  EXPECT_THAT(paths("/etc/*.conf"), ElementsAre("/etc/x.conf", "/etc/y.conf"));
  EXPECT_THAT(paths("etc/?/f"), ElementsAre("/etc/a/f", "/etc/b/f"));
  EXPECT_THAT(paths("/*/a/f"), ElementsAre("/etc/a/f", "/link/a/f"));
  EXPECT_THAT(paths("/etc/[ab]/"), ElementsAre("/etc/a/", "/etc/b/"));
  EXPECT_THAT(paths("/etc/*/."), ElementsAre("/etc/a/.", "/etc/b/."));
  EXPECT_THAT(paths("/etc/\\[x\\]"), ElementsAre("/etc/[x]"));
  EXPECT_THAT(paths("/etc/.h*"), ElementsAre("/etc/.hidden"));
  EXPECT_THAT(paths("/etc/dang*"), ElementsAre("/etc/dangling"));
  EXPECT_THAT(paths("/etc/nothing*"), IsEmpty());
  EXPECT_THAT(paths("/nowhere/*"), IsEmpty());
}

TEST_F(ExpandTest, NothingLeavesTheRoot) {
  EXPECT_THAT(paths("/out/et?"), ElementsAre("/out/etc"));
  EXPECT_THAT(paths("/../../et?"), ElementsAre("/../../etc"));
}

TEST_F(ExpandTest, TooManyAreAnError) {
  EXPECT_TRUE(expand(root_.get(), "/etc/*", 2).failed_as(base::ErrorKind::InvalidArgument));
}

}  // namespace
}  // namespace tree
