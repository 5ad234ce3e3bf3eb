#include "engine/oci/spec_builder.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/oci/capabilities.h"

namespace engine::oci {
namespace {

using spec::api::StringList;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class SpecBuilder : public testing::Test {
 protected:
  SpecBuilder() {
    facts.capabilities = capabilities_in((std::uint64_t{1} << 41U) - 1);
    facts.kernel_major = 6;
    facts.seccomp = true;
    config.cmd = StringList{"true"};
    config.hostname = "abc";
    host.ipc_mode = "private";
    host.shm_size = 64 << 20;
  }
  base::Result<spec::oci::Spec> build() {
    return build_spec({.id = "abcdef", .config = config, .host = host, .facts = facts, .defaults = defaults,
                       .user = user, .hostname = "abc", .joined = joined, .mounts = mounts});
  }
  [[nodiscard]] const spec::oci::Mount* mount(const spec::oci::Spec& spec, std::string_view at) const {
    const auto found = std::ranges::find(spec.mounts, at, &spec::oci::Mount::destination);
    return found == spec.mounts.end() ? nullptr : &*found;
  }

  spec::api::ContainerConfig config;
  spec::api::HostConfig host;
  HostFacts facts;
  Defaults defaults;
  spec::oci::User user;
  JoinedNamespaces joined;
  std::vector<spec::oci::Mount> mounts;
};

TEST_F(SpecBuilder, ADefaultContainerIsDockers) {
  const auto spec = build().value();
  EXPECT_THAT(spec.process->args, ElementsAre("true"));
  EXPECT_THAT(spec.process->env,
              ElementsAre("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME=abc"));
  EXPECT_EQ(spec.process->cwd, "/");
  EXPECT_EQ(spec.process->capabilities->bounding.size(), 14U);
  EXPECT_THAT(spec.process->capabilities->inheritable, IsEmpty());
  EXPECT_FALSE(spec.process->no_new_privileges);
  EXPECT_EQ(spec.linux_section->cgroups_path, "/docker/abcdef");
  EXPECT_THAT(spec.linux_section->masked_paths, Contains("/proc/kcore"));
  EXPECT_THAT(spec.linux_section->readonly_paths, Contains("/proc/sys"));
  std::vector<std::string> types;
  for (const auto& ns : spec.linux_section->namespaces) types.push_back(ns.type);
  EXPECT_THAT(types, ElementsAre("mount", "network", "uts", "pid", "ipc"));
  EXPECT_THAT(mount(spec, "/dev/shm")->options, Contains("size=67108864"));
  EXPECT_THAT(mount(spec, "/sys")->options, Contains("ro"));
  ASSERT_TRUE(spec.linux_section->seccomp);
  EXPECT_EQ(spec.linux_section->seccomp->default_action, "SCMP_ACT_ERRNO");
  EXPECT_THAT(spec.linux_section->seccomp->architectures,
              ElementsAre("SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"));
  EXPECT_EQ(spec.linux_section->resources->devices.front().allow, false);
  // What is written is what is read: the runtime gets text.
  EXPECT_EQ(codec::to_json(spec::oci::parse_spec(spec::oci::to_text(spec)).value()), codec::to_json(spec));
}

TEST_F(SpecBuilder, PrivilegedOpensEverything) {
  host.privileged = true;
  const auto spec = build().value();
  EXPECT_EQ(spec.process->capabilities->bounding.size(), 41U);
  EXPECT_FALSE(spec.linux_section->seccomp);
  EXPECT_THAT(spec.linux_section->masked_paths, IsEmpty());
  EXPECT_THAT(mount(spec, "/sys")->options, Not(Contains("ro")));
  EXPECT_THAT(mount(spec, "/sys/fs/cgroup")->options, Not(Contains("ro")));
  EXPECT_TRUE(spec.linux_section->resources->devices.front().allow);
}

TEST_F(SpecBuilder, AnOrdinaryUserHasNoEffectiveCapabilities) {
  user.uid = 1000;
  const auto spec = build().value();
  EXPECT_EQ(spec.process->capabilities->bounding.size(), 14U);
  EXPECT_THAT(spec.process->capabilities->effective, IsEmpty());
  EXPECT_THAT(spec.process->capabilities->permitted, IsEmpty());
}

TEST_F(SpecBuilder, CapabilitiesAreAddedAndDropped) {
  host.cap_add = StringList{"net_admin", "CAP_SYS_TIME"};
  host.cap_drop = StringList{"ALL"};
  EXPECT_THAT(build()->process->capabilities->bounding, ElementsAre("CAP_NET_ADMIN", "CAP_SYS_TIME"));
  host.cap_add = StringList{"ALL"};
  host.cap_drop = StringList{"mknod"};
  EXPECT_EQ(build()->process->capabilities->bounding.size(), 40U);
  host.cap_add = StringList{"fly"};
  EXPECT_EQ(build().error().message(), "invalid CapAdd: unknown capability: \"CAP_FLY\"");
  std::erase(facts.capabilities, "CAP_SYS_RESOURCE");
  host.cap_add = StringList{"SYS_RESOURCE"};
  EXPECT_THAT(build().error().message(), HasSubstr("not available in the current environment"));
}

TEST_F(SpecBuilder, SeccompFollowsCapabilities) {
  const auto allowed = [&](std::string_view name) {
    const auto spec = build().value();
    return std::ranges::any_of(spec.linux_section->seccomp->syscalls, [&](const auto& group) {
      return group.action == "SCMP_ACT_ALLOW" && group.args.empty() &&
             std::ranges::find(group.names, name) != group.names.end();
    });
  };
  EXPECT_TRUE(allowed("openat"));
  EXPECT_FALSE(allowed("mount"));
  EXPECT_FALSE(allowed("clone3"));
  host.cap_add = StringList{"SYS_ADMIN"};
  EXPECT_TRUE(allowed("mount"));
  EXPECT_TRUE(allowed("clone3"));
  host.security_opt = StringList{"seccomp=unconfined"};
  EXPECT_FALSE(build()->linux_section->seccomp);
  host.security_opt = StringList{R"(seccomp={"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"name":"mkdir","action":"SCMP_ACT_ERRNO"}]})"};
  EXPECT_THAT(build()->linux_section->seccomp->syscalls.at(0).names, ElementsAre("mkdir"));
  host.security_opt = StringList{"seccomp={"};
  EXPECT_THAT(build().error().message(), HasSubstr("Decoding seccomp profile failed"));
}

TEST_F(SpecBuilder, SecurityOptionsInDockersWords) {
  host.security_opt = StringList{"no-new-privileges"};
  EXPECT_TRUE(build()->process->no_new_privileges);
  host.security_opt = StringList{"no-new-privileges:false"};
  defaults.no_new_privileges = true;
  EXPECT_FALSE(build()->process->no_new_privileges);
  host.security_opt = StringList{"systempaths=unconfined"};
  EXPECT_THAT(build()->linux_section->masked_paths, IsEmpty());
  host.security_opt = StringList{"x"};
  EXPECT_EQ(build().error().message(), "invalid --security-opt 1: \"x\"");
  host.security_opt = StringList{"x=y"};
  EXPECT_EQ(build().error().message(), "invalid --security-opt 2: \"x=y\"");
}

TEST_F(SpecBuilder, NamespacesOfTheHostAndOfOthers) {
  host.network_mode = "host";
  host.uts_mode = "host";
  host.pid_mode = "container:x";
  host.ipc_mode = "host";
  host.cgroupns_mode = "private";
  joined.pid = "/proc/7/ns/pid";
  const auto spec = build().value();
  std::vector<std::string> all;
  for (const auto& ns : spec.linux_section->namespaces) all.push_back(ns.type + ":" + ns.path);
  EXPECT_THAT(all, ElementsAre("mount:", "pid:/proc/7/ns/pid", "cgroup:"));
  EXPECT_EQ(spec.hostname, "");
  EXPECT_THAT(spec.linux_section->sysctl, IsEmpty());
  EXPECT_EQ(mount(spec, "/dev/shm"), nullptr);
}

TEST_F(SpecBuilder, LimitsBecomeResources) {
  host.resources.memory = 64 << 20;
  host.resources.memory_swap = 128 << 20;
  host.resources.nano_cpus = 1'500'000'000;
  host.resources.pids_limit = 0;
  host.resources.cpuset_cpus = "0";
  const auto resources = *build()->linux_section->resources;
  EXPECT_EQ(resources.memory->limit, 64 << 20);
  EXPECT_EQ(resources.memory->swap, 128 << 20);
  EXPECT_EQ(resources.cpu->quota, 150'000);
  EXPECT_EQ(resources.cpu->period, 100'000U);
  EXPECT_EQ(resources.cpu->cpus, "0");
  EXPECT_EQ(resources.pids->limit, -1);
}

TEST_F(SpecBuilder, DefaultLimitsAreClampedWhereTheyCantBeRaised) {
  defaults.ulimits["nofile"] = {"nofile", 1 << 20, 1 << 20};
  facts.hard_limits["RLIMIT_NOFILE"] = 4096;
  EXPECT_EQ(build()->process->rlimits.at(0).hard, std::uint64_t{1} << 20U);
  facts.can_raise_limits = false;
  EXPECT_EQ(build()->process->rlimits.at(0).hard, 4096U);
  EXPECT_EQ(build()->process->rlimits.at(0).soft, 4096U);
  host.resources.ulimits = std::vector<spec::api::Ulimit>{{"nofile", 10, -1}};
  ASSERT_EQ(build()->process->rlimits.size(), 1U);
  EXPECT_EQ(build()->process->rlimits.at(0).hard, UINT64_MAX) << "what a user asks for is not changed";
}

TEST_F(SpecBuilder, MountsAreSortedAndReplaceDefaults) {
  mounts = {{"/a/b", "bind", "/x", {"rbind"}, {}, {}}, {"/a", "bind", "/y", {"rbind"}, {}, {}},
            {"/dev/shm", "bind", "/z", {"rbind"}, {}, {}}};
  const auto spec = build().value();
  EXPECT_EQ(mount(spec, "/dev/shm")->source, "/z");
  EXPECT_LT(mount(spec, "/a"), mount(spec, "/a/b"));
}

TEST_F(SpecBuilder, TmpfsOptionsMerge) {
  EXPECT_THAT(merge_tmpfs_options({"noexec", "nosuid", "exec", "size=1m", "size=2m"}).value(),
              ElementsAre("nosuid", "exec", "size=2m"));
  EXPECT_EQ(merge_tmpfs_options({"nosuid", "sparkling"}).error().message(), "invalid tmpfs option [\"sparkling\"]");
}

TEST_F(SpecBuilder, DevicesAndRules) {
  host.resources.devices = std::vector<spec::api::DeviceMapping>{{"/dev/zero", "/dev/naught", "r"}};
  host.resources.device_cgroup_rules = StringList{"c 42:* rmw"};
  const auto spec = build().value();
  ASSERT_EQ(spec.linux_section->devices.size(), 1U);
  EXPECT_EQ(spec.linux_section->devices[0].path, "/dev/naught");
  EXPECT_EQ(spec.linux_section->devices[0].minor, 5);
  const auto& rules = spec.linux_section->resources->devices;
  EXPECT_EQ(rules.at(rules.size() - 2).access, "r");
  EXPECT_EQ(rules.back().major, 42);
  EXPECT_FALSE(rules.back().minor);
  host.resources.device_cgroup_rules = StringList{"c 42"};
  EXPECT_THAT(build().error().message(), HasSubstr("invalid device cgroup rule format"));
  host.resources.devices = std::vector<spec::api::DeviceMapping>{{"/dev/absent", "/dev/x", "r"}};
  EXPECT_EQ(build().error().message(),
            "error gathering device information while adding custom device \"/dev/absent\": no such file or directory");
}

TEST_F(SpecBuilder, InitNeedsAProgram) {
  host.init = true;
  EXPECT_TRUE(build().failed_as(base::ErrorKind::NotImplemented));
  defaults.init_path = "/usr/bin/tini-static";
  const auto spec = build().value();
  EXPECT_THAT(spec.process->args, ElementsAre("/sbin/docker-init", "--", "true"));
  EXPECT_EQ(mount(spec, "/sbin/docker-init")->source, "/usr/bin/tini-static");
}

TEST_F(SpecBuilder, ATerminalHasASizeAndATerm) {
  config.tty = true;
  config.env = StringList{"TERM=vt100", "PATH=/mine"};
  host.console_size = {24, 80};
  const auto spec = build().value();
  EXPECT_TRUE(spec.process->terminal);
  EXPECT_EQ(spec.process->console_size->width, 80U);
  EXPECT_THAT(spec.process->env, ElementsAre("PATH=/mine", "HOSTNAME=abc", "TERM=vt100"));
}

}  // namespace
}  // namespace engine::oci
