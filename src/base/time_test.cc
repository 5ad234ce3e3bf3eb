#include "base/time.h"

#include <gtest/gtest.h>

namespace base {
namespace {

using namespace std::chrono_literals;

TEST(Time, WritesGoesThreeForms) {
  const Time time{1136073600s + 120ns};
  EXPECT_EQ(to_rfc3339(time), "2006-01-01T00:00:00.00000012Z");
  EXPECT_EQ(to_rfc3339(time, Fraction::Nine), "2006-01-01T00:00:00.000000120Z");
  EXPECT_EQ(to_rfc3339(time, Fraction::None), "2006-01-01T00:00:00Z");
}

TEST(Time, ReadsWhatItWritesAndOffsets) {
  for (const Time time : {Time{0ns}, Time{1136073600s + 120ns}, Time{4102444799s + 999999999ns}}) {
    EXPECT_EQ(parse_rfc3339(to_rfc3339(time)).value(), time);
  }
  EXPECT_EQ(parse_rfc3339("1970-01-01T02:00:00.5+02:00").value(), Time{500ms});
  for (const char* bad : {"", "1970", "1970-13-01T00:00:00Z", "1970-01-01T24:00:00Z",
                          "1970-01-01T00:00:00.Z", "1970-01-01T00:00:00Zx", "1970-02-30"}) {
    EXPECT_FALSE(parse_rfc3339(bad)) << bad;
  }
}

TEST(Time, TimestampsOfDockersSince) {
  const Time anchor{1000s};
  EXPECT_EQ(parse_timestamp("12.000000001", anchor).value(), Time{12s + 1ns});
  EXPECT_EQ(parse_timestamp("10m", anchor).value(), Time{400s});
  EXPECT_EQ(parse_timestamp("1970-01-01", anchor).value(), Time{0ns});
  EXPECT_FALSE(parse_timestamp("yesterday", anchor));
}

TEST(Time, GoDurations) {
  EXPECT_EQ(parse_duration("1h30m").value(), 90min);
  EXPECT_EQ(parse_duration("1.5h").value(), 90min);
  EXPECT_EQ(parse_duration("-300ms").value(), -300ms);
  EXPECT_EQ(parse_duration("0").value(), 0ns);
  for (const char* bad : {"", "5", "s", "1x", "1h2", "."}) EXPECT_FALSE(parse_duration(bad)) << bad;
}

TEST(Time, HumanDurationsOfGoUnits) {
  EXPECT_EQ(human_duration(400ms), "Less than a second");
  EXPECT_EQ(human_duration(59s), "59 seconds");
  EXPECT_EQ(human_duration(89s), "About a minute");
  EXPECT_EQ(human_duration(61min), "About an hour");
  EXPECT_EQ(human_duration(47h), "47 hours");
  EXPECT_EQ(human_duration(24h * 13), "13 days");
  EXPECT_EQ(human_duration(24h * 59), "8 weeks");
  EXPECT_EQ(human_duration(24h * 100), "3 months");
}

}  // namespace
}  // namespace base
