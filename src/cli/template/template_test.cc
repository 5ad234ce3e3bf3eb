#include "cli/template/template.h"

#include <fstream>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "cli/template/functions.h"

namespace cli::tmpl {
namespace {

using codec::Json;

std::string test_data(const std::string& name) {
  std::ifstream file{CAISSON_SOURCE_DIR "/src/cli/template/testdata/" + name};
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

struct Outcome {
  std::string output;
  std::string error;
};

Outcome run(const std::string& format, const Value& data, MissingKey missing = MissingKey::NoValue) {
  Outcome out;
  const auto parsed = Template::parse("", format);
  if (!parsed) return {"", parsed.error().message()};
  if (const auto done = parsed->execute(out.output, data, missing); !done) out.error = done.error().message();
  return out;
}

// What Go's text/template makes of each line of testdata/templates.txt.
TEST(Template, DoesAsGoDoes) {
  const auto golden = Json::parse(test_data("golden.json"));
  ASSERT_TRUE(golden) << golden.error().message();
  const Value data = Value::of((*golden)["Data"]);
  const auto& cases = (*golden)["Cases"].as_array();
  ASSERT_GT(cases.size(), 200U);
  for (const Json& entry : cases) {
    const auto outcome = run(entry["Template"].as_string(), data);
    EXPECT_EQ(outcome.output, entry["Output"].as_string()) << entry["Template"].as_string();
    EXPECT_EQ(outcome.error, entry["Error"].as_string()) << entry["Template"].as_string();
  }
}

TEST(Template, MissingKeyCanBeAnError) {
  const auto json = Json::parse(R"({"A": {"B": 1}})");
  ASSERT_TRUE(json);
  const auto outcome = run("{{.A.C}}", Value::of(*json), MissingKey::Error);
  EXPECT_EQ(outcome.error, R"(template: :1:4: executing "" at <.A.C>: map has no entry for key "C")");
}

TEST(Template, StructFieldsIgnoreCaseAndMapsHaveAZeroElement) {
  Value::Members labels;
  labels.items.emplace_back("a", Value{"1"});
  labels.zero = std::make_shared<const Value>(Value{""});
  Value::Members object;
  object.is_struct = true;
  object.items.emplace_back("Id", Value{"f00"});
  object.items.emplace_back("Labels", Value{std::move(labels)});
  object.items.emplace_back("Health", Value{Value::NilPointer{}});
  const Value data{std::move(object)};
  EXPECT_EQ(run("{{.ID}}{{.Id}}", data).output, "f00f00");
  EXPECT_EQ(run("<{{index .Labels \"zz\"}}>", data).output, "<>");
  EXPECT_EQ(run("{{.Labels.zz}}", data).output, "<no value>");
  EXPECT_EQ(run("{{.Health}} {{if .Health}}a{{else}}b{{end}}", data).output, "<nil> b");
  EXPECT_EQ(run("{{.}}", data).output, "{f00 map[a:1] <nil>}");
  EXPECT_EQ(run("{{.Nope}}", data).error,
            R"(template: :1:2: executing "" at <.Nope>: can't evaluate field Nope in type struct)");
}

class Line final : public Object {
 public:
  [[nodiscard]] base::Result<std::optional<Value>> field(std::string_view name,
                                                         std::span<const Value> arguments) const override {
    if (name == "Label") return std::optional{Value{"label " + arguments[0].as_string()}};
    return std::optional<Value>{};
  }
  [[nodiscard]] Json json() const override { return Json::object({{"ID", "x"}}); }
  [[nodiscard]] std::string_view type_name() const override { return "*test.line"; }
};

TEST(Template, ObjectsAreAskedForTheirFields) {
  const Line line;
  EXPECT_EQ(run("{{.Label \"k\"}} {{json .}}", Value{&line}).output, "label k {\"ID\":\"x\"}");
  EXPECT_EQ(run("{{.Nope}}", Value{&line}).error,
            R"(template: :1:2: executing "" at <.Nope>: can't evaluate field Nope in type *test.line)");
}

TEST(Template, RefusesWhatWouldExhaustTheStack) {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "{{if 1}}";
  EXPECT_NE(run(deep, {}).error, "");
  EXPECT_NE(run("{{" + std::string(100'000, '(') + "1" + std::string(100'000, ')') + "}}", {}).error, "");
  EXPECT_NE(run(R"({{define "a"}}{{template "a"}}{{end}}{{template "a"}})", {}).error, "");
}

}  // namespace
}  // namespace cli::tmpl
