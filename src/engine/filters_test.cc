#include "engine/filters.h"

#include <gtest/gtest.h>

namespace engine {
namespace {

TEST(Filters, UnknownNamesAreRefused) {
  constexpr std::string_view allowed[] = {"id", "name"};
  EXPECT_TRUE(check_filters({{"id", {"a"}}}, allowed));
  const auto result = check_filters({{"nam", {"a"}}}, allowed);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message(), "invalid filter 'nam'");
}

TEST(Filters, ValuesOfOneNameAreAlternatives) {
  const Filters filters{{"status", {"exited", "created"}}};
  EXPECT_TRUE(matches_exactly(filters, "status", "created"));
  EXPECT_FALSE(matches_exactly(filters, "status", "running"));
  EXPECT_TRUE(matches_exactly(filters, "id", "anything")) << "an absent filter lets all through";
}

TEST(Filters, PatternsAreFoundAnywhere) {
  const Filters filters{{"name", {"^web", "b$", "d.ta"}}};
  EXPECT_TRUE(matches_pattern(filters, "name", "web1"));
  EXPECT_TRUE(matches_pattern(filters, "name", "cab"));
  EXPECT_TRUE(matches_pattern(filters, "name", "my-data"));
  EXPECT_FALSE(matches_pattern(filters, "name", "my-web1"));
  EXPECT_TRUE(matches_pattern({{"name", {"("}}}, "name", "(")) << "a broken pattern is plain text";
  EXPECT_FALSE(matches_pattern({{"name", {std::string(300, '(')}}}, "name", "a"));
}

TEST(Filters, AllLabelsMustHold) {
  const std::map<std::string, std::string> labels{{"a", "1"}, {"b", ""}};
  EXPECT_TRUE(matches_labels({{"label", {"a", "a=1", "b="}}}, "label", labels));
  EXPECT_FALSE(matches_labels({{"label", {"a=1", "c"}}}, "label", labels));
  EXPECT_FALSE(matches_labels({{"label", {"a=2"}}}, "label", labels));
}

TEST(Filters, YesOrNo) {
  EXPECT_EQ(bool_filter({{"dangling", {"true"}}}, "dangling").value(), true);
  EXPECT_EQ(bool_filter({{"dangling", {"0"}}}, "dangling").value(), false);
  EXPECT_EQ(bool_filter({}, "dangling").value(), std::nullopt);
  EXPECT_EQ(bool_filter({{"dangling", {"x"}}}, "dangling").error().message(), "invalid filter 'dangling=[x]'");
}

}  // namespace
}  // namespace engine
