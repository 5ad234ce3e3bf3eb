#include "api/answer_fields.h"

#include <gtest/gtest.h>

namespace api {
namespace {

using codec::Json;

std::string adapted(const char* text, Shape shape, unsigned minor) {
  Json json = Json::parse(text).value();
  adapt(json, shape, Version{1, minor});
  return json.dump();
}

TEST(AnswerFields, NewOnesAreLeftOutForOldClients) {
  constexpr auto kText = R"({"Id":"a","Health":{"Status":"none"},"NetworkSettings":{"Networks":{"x":{"GwPriority":1,"IPAddress":"1"}}}})";
  EXPECT_EQ(adapted(kText, Shape::ContainerSummary, 56), kText);
  EXPECT_EQ(adapted(kText, Shape::ContainerSummary, 47), R"({"Id":"a","NetworkSettings":{"Networks":{"x":{"IPAddress":"1"}}}})");
}

TEST(AnswerFields, OldOnesAreLeftOutForNewClients) {
  constexpr auto kText = R"({"NetworkSettings":{"IPAddress":"1","Ports":{}}})";
  EXPECT_EQ(adapted(kText, Shape::Container, 51), kText);
  EXPECT_EQ(adapted(kText, Shape::Container, 52), R"({"NetworkSettings":{"Ports":{}}})");
}

TEST(AnswerFields, ListsWithinAndOtherTypes) {
  EXPECT_EQ(adapted(R"({"HostConfig":{"Mounts":[{"BindOptions":{"CreateMountpoint":true,"Propagation":"x"}},{"Type":"tmpfs"}]}})",
                    Shape::Container, 41),
            R"({"HostConfig":{"Mounts":[{"BindOptions":{"Propagation":"x"}},{"Type":"tmpfs"}]}})");
  EXPECT_EQ(adapted(R"({"HostConfig":{"Mounts":null},"NetworkSettings":[]})", Shape::Container, 41),
            R"({"HostConfig":{"Mounts":null},"NetworkSettings":[]})");
}

TEST(AnswerFields, UsageIsTotalsAndItemsOnDemand) {
  EXPECT_EQ(usage_json({Json::array({1, 2}), 1, 10, 5}, false).dump(), R"({"ActiveCount":1,"TotalCount":2,"Reclaimable":5,"TotalSize":10})");
  EXPECT_EQ(usage_json({Json::array({1}), 0, 0, 0}, true)["Items"].as_array().size(), 1U);
}

}  // namespace
}  // namespace api
