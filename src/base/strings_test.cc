#include "base/strings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace base {
namespace {

using testing::ElementsAre;

TEST(Strings, SplitKeepsEmptyPartsAndWordsDropThem) {
  EXPECT_THAT(split("a,,b", ','), ElementsAre("a", "", "b"));
  EXPECT_THAT(split("", ','), ElementsAre(""));
  EXPECT_THAT(split_words("  a  b "), ElementsAre("a", "b"));
}

TEST(Strings, CutTakesTheFirstSeparator) {
  EXPECT_EQ(cut("k=v=w", "="), (std::pair<std::string_view, std::string_view>{"k", "v=w"}));
  EXPECT_EQ(cut("k", "="), std::nullopt);
}

TEST(Strings, NumbersAreWholeOrNothing) {
  EXPECT_EQ(parse_int("-12"), -12);
  EXPECT_EQ(parse_int("12x"), std::nullopt);
  EXPECT_EQ(parse_int(""), std::nullopt);
  EXPECT_EQ(parse_uint("-1"), std::nullopt);
  EXPECT_EQ(parse_uint("18446744073709551616"), std::nullopt);
  EXPECT_EQ(parse_octal("0644"), 0644U);
}

TEST(Strings, HexGoesThereAndBack) {
  EXPECT_EQ(from_hex("00fF"), std::string("\x00\xff", 2));
  EXPECT_EQ(from_hex("0"), std::nullopt);
  EXPECT_EQ(from_hex("0g"), std::nullopt);
}

TEST(Strings, Base64OfRfc4648) {
  for (const auto& [plain, coded] : std::vector<std::pair<std::string, std::string>>{
           {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}}) {
    EXPECT_EQ(base64(plain), coded);
    EXPECT_EQ(base64_decode(coded), plain);
  }
  EXPECT_EQ(base64_decode("_-8"), "\xff\xef");
  EXPECT_EQ(base64_decode("a"), std::nullopt);
  EXPECT_EQ(base64_decode("a*=="), std::nullopt);
}

TEST(Strings, QuotedIsGoes) { EXPECT_EQ(quoted("a\"b\n\x01"), R"("a\"b\n\x01")"); }

}  // namespace
}  // namespace base
