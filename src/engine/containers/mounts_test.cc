#include "engine/containers/mounts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace engine {
namespace {

using spec::api::StringList;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(Mounts, FormsOfMinusV) {
  const auto anonymous = parse_bind("/data").value();
  EXPECT_EQ(anonymous.type, "volume");
  EXPECT_TRUE(anonymous.copy_image);
  const auto named = parse_bind("vol:/data:ro,nocopy").value();
  EXPECT_EQ(named.name, "vol");
  EXPECT_FALSE(named.writable);
  EXPECT_FALSE(named.copy_image);
  const auto bind = parse_bind("/src/../a:/b/./c/:rslave").value();
  EXPECT_EQ(bind.type, "bind");
  EXPECT_EQ(bind.source, "/a");
  EXPECT_EQ(bind.destination, "/b/c");
  EXPECT_EQ(bind.propagation, "rslave");
}

TEST(Mounts, BadMinusV) {
  for (const char* text : {"", ":", "/a:", ":/b", "/a:/b:rw:x", "/a:/b:nope", "/a:/b:ro,rw", "/a:b", "/a:/",
                           "v:/b:rshared", "/a:/b:nocopy", "a/b:/c", "x:/c"}) {
    EXPECT_TRUE(parse_bind(text).failed_as(base::ErrorKind::InvalidArgument)) << text;
  }
  EXPECT_EQ(parse_bind("/a:/b:nope").error().message(), "invalid volume specification: '/a:/b:nope': invalid mode: nope");
}

TEST(Mounts, FormsOfMount) {
  spec::api::Mount mount{.type = "tmpfs", .target = "/t"};
  mount.tmpfs_options = spec::api::TmpfsOptions{.size_bytes = 1024, .mode = 01770};
  const auto tmpfs = parse_mount(mount).value();
  EXPECT_EQ(tmpfs.options, "size=1024,mode=1770");
  EXPECT_THAT(to_oci(tmpfs)->options, ElementsAre("noexec", "nosuid", "nodev", "rprivate", "size=1024", "mode=1770"));
  mount.type = "bind";
  EXPECT_THAT(parse_mount(mount).error().message(), HasSubstr("TmpfsOptions must not be specified"));
  mount.tmpfs_options.reset();
  EXPECT_EQ(parse_mount(mount).error().message(),
            "invalid mount config for type \"bind\": field Source must not be empty");
  mount.source = "/a";
  mount.read_only = true;
  mount.bind_options = spec::api::BindOptions{.propagation = "rshared", .non_recursive = true};
  EXPECT_THAT(to_oci(parse_mount(mount).value())->options, ElementsAre("bind", "rshared", "ro"));
  mount.type = "npipe";
  EXPECT_FALSE(parse_mount(mount));
}

TEST(Mounts, PrecedenceAndDuplicates) {
  spec::api::ContainerConfig config;
  config.volumes = spec::api::NameSet{{"/data", {}}, {"/image", {}}};
  spec::api::HostConfig host;
  host.binds = StringList{"vol:/data", "/etc:/inherited"};
  host.tmpfs = spec::api::Labels{{"/scratch", "size=1m"}};
  const std::vector<InheritedMounts> inherited{
      {{{.type = "volume", .name = "old", .destination = "/inherited", .anonymous = true},
        {.type = "volume", .name = "kept", .destination = "/kept", .anonymous = true}}, "ro"}};
  const auto mounts = collect_mounts(config, host, inherited).value();
  std::vector<std::string> all;
  for (const auto& mount : mounts) all.push_back(mount.type + ":" + mount.destination);
  EXPECT_THAT(all, ElementsAre("bind:/inherited", "volume:/kept", "volume:/data", "tmpfs:/scratch", "volume:/image"));
  EXPECT_FALSE(mounts[1].writable);
  EXPECT_FALSE(mounts[1].anonymous) << "the container that made it removes it";
  EXPECT_FALSE(mounts[2].anonymous);
  EXPECT_TRUE(mounts[4].anonymous);
  EXPECT_EQ(mounts[4].name.size(), 64U);
  host.binds->push_back("/x:/data");
  EXPECT_EQ(collect_mounts(config, host, {}).error().message(), "Duplicate mount point: /data");
}

TEST(Mounts, TmpfsOptionsAreCheckedAtCreate) {
  spec::api::HostConfig host;
  host.tmpfs = spec::api::Labels{{"/t", "sparkling"}};
  EXPECT_EQ(collect_mounts({}, host, {}).error().message(), "invalid tmpfs option [\"sparkling\"]");
}

}  // namespace
}  // namespace engine
