#include "engine/cgroup_driver.h"

#include <gtest/gtest.h>

namespace engine {
namespace {

TEST(CgroupDriver, IsWhatExecOptsSayElseWhatTheHostHas) {
  HostFacts host;
  EXPECT_EQ(cgroup_driver({}, host).value(), cgroup::Driver::Cgroupfs);
  EXPECT_EQ(cgroup_driver({"native.cgroupdriver=systemd"}, host).value(), cgroup::Driver::Systemd);
  host.systemd = true;
  EXPECT_EQ(cgroup_driver({}, host).value(), cgroup::Driver::Cgroupfs);
  host.cgroup_v2 = true;
  EXPECT_EQ(cgroup_driver({"isolation=x"}, host).value(), cgroup::Driver::Systemd);
  EXPECT_EQ(cgroup_driver({"isolation=x", "native.cgroupdriver=cgroupfs"}, host).value(), cgroup::Driver::Cgroupfs);
  EXPECT_EQ(cgroup_driver({"native.cgroupdriver=magic"}, host).error().message(),
            "native.cgroupdriver option magic not supported");
  EXPECT_TRUE(cgroup_driver({"native"}, host).failed_as(base::ErrorKind::InvalidArgument));
}

TEST(CgroupDriver, WantsASliceAsParent) {
  for (const char* parent : {"", "a.slice", "a-b.slice", "-.slice"}) {
    EXPECT_TRUE(check_cgroup_parent(parent, cgroup::Driver::Systemd)) << parent;
  }
  for (const char* parent : {"/docker", "a", ".slice", "a--b.slice", "/a.slice", "a:b.slice/../x"}) {
    EXPECT_EQ(check_cgroup_parent(parent, cgroup::Driver::Systemd).error().message(),
              "cgroup-parent for systemd cgroup should be a valid slice named as \"xxx.slice\"");
    EXPECT_TRUE(check_cgroup_parent(parent, cgroup::Driver::Cgroupfs)) << parent;
  }
}

}  // namespace
}  // namespace engine
