#include "engine/oci/cdi.h"

#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sys/file.h"

namespace engine::oci {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kYaml = R"(
cdiVersion: 0.6.0
kind: vendor.com/device
containerEdits:
  env: [COMMON=1]
devices:
- name: null0
  containerEdits:
    env:
    - WHICH=null0
    deviceNodes:
    - path: /dev/vendor0
      hostPath: /dev/null
      permissions: rw
      gid: 44
    mounts:
    - hostPath: /usr/lib
      containerPath: /usr/lib/vendor
      options: [ro, bind]
    hooks:
    - hookName: createContainer
      path: /bin/true
      args: ["true", x]
    additionalGids: [44, 0]
- name: all
  containerEdits: {env: [WHICH=all]}
)";

class Cdi : public testing::Test {
 protected:
  Cdi() {
    char name[] = "/tmp/caisson-cdi-XXXXXX";
    root_ = ::mkdtemp(name);
    for (const char* dir : {"/etc", "/run"}) EXPECT_TRUE(sys::make_dirs(sys::kCwd, root_ + dir, 0755));
    spec_.process.emplace();
    spec_.linux_section.emplace();
    spec_.linux_section->resources.emplace();
  }
  ~Cdi() override { EXPECT_TRUE(sys::remove_tree(sys::kCwd, root_)); }
  void write(const std::string& file, const std::string& text) {
    EXPECT_TRUE(sys::write_file_atomic(sys::kCwd, root_ + file, text));
  }
  [[nodiscard]] CdiDevices load() const { return CdiDevices::load({root_ + "/etc", root_ + "/run", root_ + "/nowhere"}); }

  std::string root_;
  spec::oci::Spec spec_;
};

TEST_F(Cdi, AYamlFileGivesADeviceWithAllThatBelongsToIt) {
  write("/etc/vendor.yaml", kYaml);
  const CdiDevices devices = load();
  EXPECT_THAT(devices.names(), ElementsAre("vendor.com/device=all", "vendor.com/device=null0"));
  const auto done = devices.inject({"vendor.com/device=null0", "vendor.com/device=all"}, spec_);
  ASSERT_TRUE(done) << done.error().message();
  EXPECT_THAT(spec_.process->env, ElementsAre("COMMON=1", "WHICH=all"));
  ASSERT_EQ(spec_.linux_section->devices.size(), 1U);
  const auto& device = spec_.linux_section->devices[0];
  EXPECT_EQ(device.path, "/dev/vendor0");
  EXPECT_EQ(device.type, "c");
  EXPECT_EQ(device.major, 1);
  EXPECT_EQ(device.minor, 3);
  EXPECT_EQ(device.gid, 44U);
  EXPECT_EQ(spec_.linux_section->resources->devices[0].access, "rw");
  ASSERT_EQ(spec_.mounts.size(), 1U);
  EXPECT_EQ(spec_.mounts[0].destination, "/usr/lib/vendor");
  EXPECT_THAT(spec_.mounts[0].options, ElementsAre("ro", "bind"));
  EXPECT_THAT(spec_.hooks->create_container[0].args, ElementsAre("true", "x"));
  EXPECT_THAT(spec_.process->user.additional_gids, ElementsAre(44U));
}

TEST_F(Cdi, LaterDirectoriesWinAndDuplicatesCancelEachOther) {
  const auto json = [](const char* value) {
    return std::string{R"({"cdiVersion":"0.5.0","kind":"a.b/c","devices":[{"name":"x","containerEdits":{"env":["V=)"} + value + R"("]}}]})";
  };
  write("/etc/one.json", json("etc"));
  write("/run/one.json", json("run"));
  ASSERT_TRUE(load().inject({"a.b/c=x"}, spec_));
  EXPECT_THAT(spec_.process->env, ElementsAre("V=run"));
  write("/run/two.json", json("again"));
  EXPECT_EQ(load().inject({"a.b/c=x"}, spec_).error().message(), "CDI device injection failed: unresolvable CDI devices a.b/c=x");
}

TEST_F(Cdi, WhatIsWrongIsSaidOrLeftOut) {
  write("/etc/broken.json", "{");
  write("/etc/bare.yaml", "kind: a.b/c\ndevices: [{name: x}]\n");
  write("/etc/kind.yaml", "cdiVersion: 0.6.0\nkind: nothing\ndevices: [{name: x}]\n");
  write("/etc/notes.txt", kYaml);
  EXPECT_THAT(load().names(), ElementsAre());
  write("/etc/node.yaml", "cdiVersion: 0.6.0\nkind: a.b/c\ndevices:\n- name: x\n  containerEdits: {deviceNodes: [{path: /dev/not-there}]}\n"
                          "- name: y\n  containerEdits: {hooks: [{hookName: never, path: /bin/true}]}\n");
  EXPECT_THAT(load().inject({"a.b/c=x"}, spec_).error().message(), HasSubstr("/dev/not-there"));
  EXPECT_THAT(load().inject({"a.b/c=y"}, spec_).error().message(), HasSubstr("unknown hook name \"never\""));
  EXPECT_EQ(load().inject({"a.b/c=z", "q.r/s=t"}, spec_).error().message(),
            "CDI device injection failed: unresolvable CDI devices a.b/c=z, q.r/s=t");
  for (const char* name : {"x", "a.b=c", "a.b/c", "1.b/c=d", "a.b/c=", "a.b/c=-"}) EXPECT_FALSE(check_cdi_name(name)) << name;
  EXPECT_TRUE(check_cdi_name("vendor.com/net-class=eth0.1:2"));
}

TEST_F(Cdi, GpusAreDevicesOfTheirVendor) {
  const auto all = spec::api::DeviceRequest{.count = -1, .capabilities = std::vector<spec::api::StringList>{{"gpu"}}};
  EXPECT_EQ(requested_devices({all}, load()).error().message(), "could not select device driver \"\" with capabilities: [[gpu]]");
  write("/etc/nvidia.yaml", "cdiVersion: 0.6.0\nkind: nvidia.com/gpu\ndevices: [{name: all}, {name: \"0\"}, {name: \"1\"}]\n");
  EXPECT_THAT(requested_devices({all}, load()).value(), ElementsAre("nvidia.com/gpu=all"));
  auto two = all;
  two.count = 2;
  EXPECT_THAT(requested_devices({two}, load()).value(), ElementsAre("nvidia.com/gpu=0", "nvidia.com/gpu=1"));
  auto named = all;
  named.count = 0;
  named.device_ids = spec::api::StringList{"1"};
  EXPECT_THAT(requested_devices({named}, load()).value(), ElementsAre("nvidia.com/gpu=1"));
  named.count = 1;
  EXPECT_EQ(requested_devices({named}, load()).error().message(), "cannot set both Count and DeviceIDs on device request");
  const spec::api::DeviceRequest cdi{.driver = "cdi", .device_ids = spec::api::StringList{"a.b/c=x"}};
  EXPECT_THAT(requested_devices({cdi, cdi}, load()).value(), ElementsAre("a.b/c=x"));
  auto counted = cdi;
  counted.count = 1;
  EXPECT_EQ(requested_devices({counted}, load()).error().message(), "unexpected count in CDI device request");
  auto optioned = cdi;
  optioned.options = spec::api::Labels{{"a", "b"}};
  EXPECT_EQ(requested_devices({optioned}, load()).error().message(), "unexpected options in CDI device request");
}

}  // namespace
}  // namespace engine::oci
