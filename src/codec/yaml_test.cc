#include "codec/yaml.h"

#include <gtest/gtest.h>

namespace codec {
namespace {

std::string json_of(std::string_view yaml) {
  const auto parsed = parse_yaml(yaml);
  return parsed ? parsed->dump() : "error: " + parsed.error().message();
}

TEST(Yaml, DocumentsBecomeJson) {
  EXPECT_EQ(json_of(""), "null");
  EXPECT_EQ(json_of("# nothing\n---\n"), "null");
  EXPECT_EQ(json_of("a: 1\nb: [x, 'y', \"z\\n\"]\nc:\n  d: {e: ~, f: true}\n"),
            R"({"a":1,"b":["x","y","z\n"],"c":{"d":{"e":null,"f":true}}})");
  EXPECT_EQ(json_of("- 1.5\n- -3\n- +4\n- 0x1f\n- 0o17\n- 0660\n- '7'\n- 1.2.3\n- yes\n- 09"),
            R"([1.5,-3,4,31,15,432,"7","1.2.3","yes","09"])");
  EXPECT_EQ(json_of("text: |\n  one\n  two\nfolded: >-\n  three\n  four\n"), R"({"text":"one\ntwo\n","folded":"three four"})");
  EXPECT_EQ(json_of("base: &b {x: 1}\ncopy: *b\n"), R"({"base":{"x":1},"copy":{"x":1}})");
  EXPECT_EQ(json_of("{\"json\": [1, null, false]}"), R"({"json":[1,null,false]})");
}

TEST(Yaml, WhatIsNoneIsAnErrorWithItsLine) {
  for (const auto& [yaml, message] : std::initializer_list<std::pair<const char*, const char*>>{
           {"a: [1", "error: yaml: line 2: did not find expected ',' or ']'"},
           {"a: 1\na: 2\n", "error: yaml: line 2: the name \"a\" stands twice"},
           {"x: *nobody\n", "error: yaml: line 1: unknown alias nobody"},
           {"? [a]\n: b\n", "error: yaml: line 1: a name was expected"},
           {"a:\n\t- b", "error: yaml: line 2: found character that cannot start any token"}}) {
    EXPECT_EQ(json_of(yaml), message) << yaml;
  }
}

TEST(Yaml, NothingGrowsWithoutBound) {
  std::string laughs = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
  for (char name = 'b'; name < 'k'; ++name) {
    const std::string before(1, static_cast<char>(name - 1));
    laughs += std::string(1, name) + ": &" + name + " [*" + before + ", *" + before + ", *" + before + ", *" + before +
              ", *" + before + ", *" + before + ", *" + before + ", *" + before + ", *" + before + "]\n";
  }
  EXPECT_NE(json_of(laughs).find("too many values"), std::string::npos);
  EXPECT_NE(json_of(std::string(1000, '[')).find("error"), std::string::npos);
  EXPECT_NE(json_of(std::string(100, '[') + std::string(100, ']')).find("too many levels"), std::string::npos);
}

}  // namespace
}  // namespace codec
