#include "cli/csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cli {
namespace {

using testing::ElementsAre;

std::string failure(std::string_view text) {
  const auto fields = parse_csv(text);
  return fields ? "" : fields.error().message();
}

TEST(Csv, SplitsAndUnquotes) {
  EXPECT_THAT(*parse_csv("a"), ElementsAre("a"));
  EXPECT_THAT(*parse_csv("a,,b"), ElementsAre("a", "", "b"));
  EXPECT_THAT(*parse_csv(R"("a,b",c)"), ElementsAre("a,b", "c"));
  EXPECT_THAT(*parse_csv(R"("a""b")"), ElementsAre("a\"b"));
}

TEST(Csv, RefusesAsGoDoes) {
  EXPECT_EQ(failure(""), "EOF");
  EXPECT_EQ(failure(R"(a"b)"), R"(parse error on line 1, column 2: bare " in non-quoted field)");
  EXPECT_NE(failure(R"("a)"), "");
  EXPECT_NE(failure(R"("a"b)"), "");
}

}  // namespace
}  // namespace cli
