#include "engine/config_merge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace engine {
namespace {

using spec::api::ContainerConfig;
using spec::api::StringList;
using testing::ElementsAre;

ContainerConfig image() {
  ContainerConfig config;
  config.env = {"PATH=/bin", "A=image"};
  config.cmd = {"serve"};
  config.entrypoint = {"/entry"};
  config.user = "www";
  config.working_dir = "/srv";
  config.labels = spec::api::Labels{{"tier", "image"}, {"os", "x"}};
  config.exposed_ports = spec::api::NameSet{{"80/tcp", {}}};
  config.volumes = spec::api::NameSet{{"/data", {}}};
  config.stop_signal = "SIGQUIT";
  config.healthcheck = spec::api::HealthConfig{.test = {"CMD", "true"}, .interval = 7};
  return config;
}

TEST(ConfigMerge, AnEmptyRequestBecomesTheImages) {
  ContainerConfig config;
  ASSERT_TRUE(merge_image_config(config, image()));
  EXPECT_THAT(command_line(config), ElementsAre("/entry", "serve"));
  EXPECT_THAT(*config.env, ElementsAre("PATH=/bin", "A=image"));
  EXPECT_EQ(config.user, "www");
  EXPECT_EQ(config.working_dir, "/srv");
  EXPECT_EQ(config.stop_signal, "SIGQUIT");
  EXPECT_EQ(config.exposed_ports->count("80/tcp"), 1U);
  EXPECT_EQ(config.healthcheck->interval, 7);
}

TEST(ConfigMerge, TheUsersWordWins) {
  ContainerConfig config;
  config.env = {"B=1", "A=user"};
  config.cmd = {"other"};
  config.labels = spec::api::Labels{{"tier", "user"}};
  config.healthcheck = spec::api::HealthConfig{.test = {"NONE"}};
  config.exposed_ports = spec::api::NameSet{{"81/tcp", {}}};
  ASSERT_TRUE(merge_image_config(config, image()));
  EXPECT_THAT(command_line(config), ElementsAre("/entry", "other"));
  EXPECT_THAT(*config.env, ElementsAre("B=1", "A=user", "PATH=/bin"));
  EXPECT_EQ(config.labels->at("tier"), "user");
  EXPECT_EQ(config.labels->at("os"), "x");
  EXPECT_THAT(config.healthcheck->test, ElementsAre("NONE"));
  EXPECT_EQ(config.exposed_ports->size(), 2U);
}

TEST(ConfigMerge, AnEntrypointDropsTheImagesCommand) {
  ContainerConfig config;
  config.entrypoint = {"sh"};
  ASSERT_TRUE(merge_image_config(config, image()));
  EXPECT_THAT(command_line(config), ElementsAre("sh"));
}

TEST(ConfigMerge, AnEmptyEntrypointClearsTheImages) {
  ContainerConfig config;
  config.entrypoint = {""};
  config.cmd = {"ls"};
  ASSERT_TRUE(merge_image_config(config, image()));
  EXPECT_FALSE(config.entrypoint);
  EXPECT_THAT(command_line(config), ElementsAre("ls"));
}

TEST(ConfigMerge, NothingToRunIsAnError) {
  ContainerConfig config;
  EXPECT_EQ(merge_image_config(config, {}).error().message(), "no command specified");
  config.env = {"=x"};
  config.cmd = {"ls"};
  EXPECT_EQ(merge_image_config(config, {}).error().message(), "invalid environment variable: =x");
}

TEST(ConfigMerge, ApplyEnvReplacesAppendsAndRemoves) {
  std::vector<std::string> env{"PATH=/a", "X=1"};
  apply_env(env, {"PATH=/b", "Y=2", "X"});
  EXPECT_THAT(env, ElementsAre("PATH=/b", "Y=2"));
}

}  // namespace
}  // namespace engine
