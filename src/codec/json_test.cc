#include "codec/json.h"

#include <gtest/gtest.h>

#include "codec/describe.h"

namespace codec {
namespace {

TEST(Json, KeepsOrderIntegersAndText) {
  const std::string text = R"({"b":[1,-2,18446744073709551615,1.5,true,null],"a":"é\n<"})";
  const Json json = Json::parse(text).value();
  EXPECT_EQ(json.dump(), "{\"b\":[1,-2,18446744073709551615,1.5,true,null],\"a\":\"\u00e9\\n\\u003c\"}");
  EXPECT_EQ(Json::parse(json.dump()).value(), json);
}

TEST(Json, RefusesWhatIsNotOneValue) {
  for (const char* bad : {"", " ", "{", "[1,]", "{} x", "nul", "\"\\x\"", "01", "{\"a\" 1}"}) {
    EXPECT_FALSE(Json::parse(bad)) << bad;
  }
  EXPECT_FALSE(Json::parse(std::string(200, '[') + std::string(200, ']')));
}

TEST(Json, PrefixReadsAStreamOfValues) {
  std::string_view text = "{\"a\":1}\n{\"a\":2}\n{\"a\"";
  std::size_t used = 0;
  EXPECT_EQ(Json::parse_prefix(text, used).value()["a"].as_int(), 1);
  text.remove_prefix(used);
  EXPECT_EQ(Json::parse_prefix(text, used).value()["a"].as_int(), 2);
  text.remove_prefix(used);
  EXPECT_TRUE(Json::parse_prefix(text, used));
  EXPECT_EQ(used, 0U);
}

TEST(Json, InvalidUtf8BecomesTheReplacementCharacter) {
  std::string out;
  append_json_string(out, "a\xff\xc0\xaf\xed\xa0\x80z");
  EXPECT_EQ(out, "\"a\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffdz\"");
}

struct Inner {
  std::string name;
  std::optional<int> weight;
};
void describe(auto& v, Inner& inner) {
  v("Name", inner.name);
  v.opt("Weight", inner.weight);
}
struct Outer {
  bool on = true;
  std::vector<Inner> parts;
  std::map<std::string, std::string> labels;
  std::uint8_t small = 0;
};
void describe(auto& v, Outer& outer) {
  v("On", outer.on);
  v("Parts", outer.parts);
  v.opt("Labels", outer.labels);
  v("Small", outer.small);
}

TEST(Describe, ReadsAsGoDoes) {
  const auto outer =
      from_json_text<Outer>(R"({"ON":null,"parts":[{"name":"x","Weight":3}],"Labels":{"k":"v"},"unknown":1})");
  ASSERT_TRUE(outer) << outer.error().message();
  EXPECT_TRUE(outer->on);
  ASSERT_EQ(outer->parts.size(), 1U);
  EXPECT_EQ(outer->parts[0].weight, 3);
  EXPECT_EQ(outer->labels.at("k"), "v");
}

TEST(Describe, NamesThePathOfAWrongType) {
  EXPECT_EQ(from_json_text<Outer>(R"({"Parts":[{"Name":5}]})").error().message(),
            "json: cannot unmarshal number into field Parts[].Name of type string");
  EXPECT_FALSE(from_json_text<Outer>(R"({"Small":256})"));
  EXPECT_FALSE(from_json_text<Outer>(R"({"Small":-1})"));
  EXPECT_FALSE(from_json_text<Outer>("[]"));
}

TEST(Describe, WritesAndOmits) {
  EXPECT_EQ(to_json(Outer{.parts = {{"x", std::nullopt}}}).dump(),
            R"({"On":true,"Parts":[{"Name":"x"}],"Small":0})");
}

}  // namespace
}  // namespace codec
