#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/logs/entry_splitter.h"
#include "cli/logs/follower.h"
#include "cli/logs/time_option.h"

namespace cli {
namespace {

using testing::ElementsAre;

constexpr const char* kFirst = "2026-11-20T22:38:46.000000001Z";
constexpr const char* kSecond = "2026-11-20T22:38:46.000000002Z";

TEST(LogPosition, ResumesBetweenEntriesOfOneTime) {
  LogPosition position;
  EXPECT_TRUE(position.is_new(kFirst));
  EXPECT_TRUE(position.is_new(kSecond));
  EXPECT_TRUE(position.is_new(kSecond));
  EXPECT_EQ(position.since(), kSecond);
  position.restart();
  // The daemon reads again from kSecond on, or from a little before.
  EXPECT_FALSE(position.is_new(kFirst));
  EXPECT_FALSE(position.is_new(kSecond));
  EXPECT_FALSE(position.is_new(kSecond));
  EXPECT_TRUE(position.is_new(kSecond));
  position.restart();
  EXPECT_FALSE(position.is_new(kSecond));
  EXPECT_FALSE(position.is_new(kSecond));
  EXPECT_FALSE(position.is_new(kSecond));
  EXPECT_TRUE(position.is_new("2026-11-20T22:38:46.000000003Z"));
}

std::vector<std::string> entries(bool framed, const std::string& bytes, std::size_t piece) {
  EntrySplitter splitter{framed};
  std::vector<std::string> out;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    const auto fed = splitter.feed(std::string_view{bytes}.substr(at, piece), [&](const LogPiece& part) {
      if (part.first) out.push_back(std::string{part.time} + "|");
      out.back() += part.text;
    });
    EXPECT_TRUE(fed);
  }
  return out;
}

TEST(EntrySplitter, FindsTheTimeHoweverTheBytesAreCut) {
  const std::string lines = std::string{kFirst} + " one line\n" + kSecond + " \n" + kSecond + " no end";
  std::string frames;
  for (const std::string& text : {std::string{kFirst} + " one line\n", std::string{kSecond} + " \n",
                                  std::string{kSecond} + " no end"}) {
    frames += std::string{'\1', '\0', '\0', '\0', '\0', '\0', '\0', static_cast<char>(text.size())} + text;
  }
  const auto expected = ElementsAre(std::string{kFirst} + "|one line\n", std::string{kSecond} + "|\n",
                                    std::string{kSecond} + "|no end");
  for (std::size_t piece = 1; piece <= frames.size(); ++piece) {
    EXPECT_THAT(entries(false, lines, piece), expected);
    EXPECT_THAT(entries(true, frames, piece), expected);
  }
}

TEST(TimeOption, BecomesUnixSeconds) {
  EXPECT_EQ(*time_option("since", ""), "");
  EXPECT_EQ(*time_option("since", "1136073600.5"), "1136073600.500000000");
  EXPECT_EQ(*time_option("until", "2020-01-01"), "1577836800.000000000");
  EXPECT_EQ(time_option("since", "x").error().message(),
            "invalid value for \"since\": failed to parse value as time or duration: \"x\"");
}

}  // namespace
}  // namespace cli
