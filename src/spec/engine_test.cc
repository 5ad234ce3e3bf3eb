#include <gtest/gtest.h>

#include "spec/engine/container_state.h"
#include "spec/engine/image.h"
#include "spec/engine/system.h"

namespace spec::api {
namespace {

TEST(EngineApi, CreateRequestEmbedsTheConfig) {
  const auto request = codec::from_json_text<CreateContainerRequest>(
      R"({"Image":"busybox","Cmd":["true"],"ExposedPorts":{"80/tcp":{}},"StopTimeout":null,
          "HostConfig":{"Memory":1024,"PortBindings":{"80/tcp":[{"HostIp":"","HostPort":"8080"}]},
                        "RestartPolicy":{"Name":"on-failure","MaximumRetryCount":3}},
          "NetworkingConfig":{"EndpointsConfig":{"bridge":null}}})");
  ASSERT_TRUE(request) << request.error().message();
  EXPECT_EQ(request->config.cmd.value(), StringList{"true"});
  EXPECT_EQ(request->host_config.resources.memory, 1024);
  EXPECT_EQ(request->host_config.port_bindings->at("80/tcp")->at(0).host_port, "8080");
  EXPECT_EQ(request->networking_config.endpoints_config.count("bridge"), 1U);
}

TEST(EngineApi, UnsetListsStayNullWhereDockerSaysNull) {
  const auto json = codec::to_json(HostConfig{});
  EXPECT_TRUE(json.find("Binds")->is_null());
  EXPECT_EQ(json.find("Tmpfs"), nullptr);
  EXPECT_EQ(json["ConsoleSize"].dump(), "[0,0]");
}

TEST(EngineApi, EverythingThatIsWrittenIsReadBack) {
  ContainerInspect inspect;
  inspect.id = "abc";
  inspect.state.status = "running";
  inspect.config.labels = Labels{{"a", "b"}};
  inspect.network_settings.networks["bridge"].ip_address = "172.17.0.2";
  const auto json = codec::to_json(inspect);
  const auto again = codec::from_json<ContainerInspect>(json);
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(codec::to_json(*again), json);
  EXPECT_EQ(codec::to_json(codec::from_json<SystemInfo>(codec::to_json(SystemInfo{})).value()),
            codec::to_json(SystemInfo{}));
}

}  // namespace
}  // namespace spec::api
