#include "engine/names.h"

#include <set>

#include <gtest/gtest.h>

namespace engine {
namespace {

TEST(Names, OneLeadingSlashIsTakenOff) {
  EXPECT_EQ(check_name("/web").value(), "web");
  EXPECT_EQ(check_name("Web_1.a-b").value(), "Web_1.a-b");
}

TEST(Names, DockersPatternIsChecked) {
  for (const char* name : {"a", "_web", "-web", ".web", "we b", "web/1", "//web", "wéb", "", "/"}) {
    const auto result = check_name(name);
    ASSERT_TRUE(result.failed_as(base::ErrorKind::InvalidArgument)) << name;
  }
  EXPECT_EQ(check_name("a b").error().message(),
            "Invalid container name (a b), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed");
}

TEST(Names, RandomNamesAreValidAndDiffer) {
  std::set<std::string> seen;
  for (unsigned i = 0; i < 200; ++i) {
    const std::string name = random_name(0);
    EXPECT_TRUE(is_valid_name(name)) << name;
    EXPECT_NE(name.find('_'), std::string::npos);
    seen.insert(name);
  }
  EXPECT_GT(seen.size(), 190U);
}

TEST(Names, LaterAttemptsGrowDigits) {
  const std::string name = random_name(5);
  EXPECT_TRUE(name.back() >= '0' && name.back() <= '9') << name;
}

}  // namespace
}  // namespace engine
