#include "http/message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace http {
namespace {

using testing::ElementsAre;

TEST(Headers, CompareNamesWithoutRegardToCase) {
  Headers headers{{"Content-Type", "a"}, {"X", "1"}, {"x", "2"}};
  EXPECT_EQ(headers.get("content-type"), "a");
  EXPECT_EQ(headers.get("X"), "1");
  headers.set("x", "3");
  EXPECT_EQ(headers.size(), 2U);
  EXPECT_EQ(headers.get("X"), "3");
  EXPECT_EQ(headers.find("none"), nullptr);
}

TEST(Headers, FindTokensInCommaLists) {
  const Headers headers{{"Connection", "keep-alive, Upgrade"}, {"Accept", "upgrades"}};
  EXPECT_TRUE(headers.has_token("connection", "upgrade"));
  EXPECT_FALSE(headers.has_token("Accept", "upgrade"));
}

TEST(Query, DecodesAndKeepsEveryPair) {
  const Query query = Query::parse("a=1&b=x+y%2Bz&a=2&bare&=empty&&c=d=e");
  EXPECT_EQ(query.get("a"), "1");
  EXPECT_THAT(query.all("a"), ElementsAre("1", "2"));
  EXPECT_EQ(query.get("b"), "x y+z");
  EXPECT_TRUE(query.has("bare"));
  EXPECT_EQ(query.get("c"), "d=e");
  EXPECT_TRUE(query.error().empty());
}

TEST(Query, NamesABadEscape) {
  const Query query = Query::parse("a=%zz&b=1&c=%1");
  EXPECT_EQ(query.error(), R"(invalid URL escape "%zz")");
  EXPECT_FALSE(query.has("a"));
  EXPECT_EQ(query.get("b"), "1");
}

TEST(Query, RoundTrips) {
  const std::string text = R"({"label":["a=b c&d"]})";
  const Query query{{"filters", text}, {"x", ""}};
  EXPECT_EQ(Query::parse(query.encode()).get("filters"), text);
  EXPECT_EQ(query.encode().find(' '), std::string::npos);
}

TEST(Escapes, OfPaths) {
  EXPECT_EQ(percent_decode("/a%2Fb+c").value(), "/a/b+c");
  EXPECT_EQ(percent_decode("/a%2").error().message(), R"(invalid URL escape "%2")");
  EXPECT_EQ(encode_segment("a/b c"), "a%2Fb%20c");
  EXPECT_EQ(encode_path("localhost:5000/a b@sha256:1"), "localhost:5000/a%20b@sha256:1");
}

}  // namespace
}  // namespace http
