#include "engine/host_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/oci/capabilities.h"

namespace engine {
namespace {

using spec::api::StringList;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;

class HostConfigRules : public testing::Test {
 protected:
  HostConfigRules() {
    facts.capabilities = oci::capabilities_in((std::uint64_t{1} << 41U) - 1);
    facts.cpus = 2;
    facts.online_cpus = "0-1";
    facts.online_memory_nodes = "0";
    facts.memory_limit = facts.swap_limit = facts.memory_reservation = facts.memory_swappiness = true;
    facts.oom_kill_disable = facts.cpu_cfs = facts.cpu_shares = facts.cpuset = facts.pids = true;
    facts.ipv4_forwarding = true;
    defaults.runtime = "caisson-runtime";
    defaults.runtimes = {"crun"};
    defaults.log_driver = "json-file";
    defaults.log_opts = {{"max-size", "1m"}};
  }
  std::string error() {
    auto c = config;
    auto h = host;
    const auto result = settle_host_config(c, h, facts, defaults);
    return result ? "" : result.error().message();
  }
  StringList settle() { return settle_host_config(config, host, facts, defaults).value(); }

  spec::api::ContainerConfig config;
  spec::api::HostConfig host;
  HostFacts facts;
  HostConfigDefaults defaults;
};

TEST_F(HostConfigRules, DefaultsAreFilledIn) {
  EXPECT_THAT(settle(), IsEmpty());
  EXPECT_EQ(host.network_mode, "bridge");
  EXPECT_EQ(host.ipc_mode, "private");
  EXPECT_EQ(host.cgroupns_mode, "host");
  EXPECT_EQ(host.shm_size, 64 << 20);
  EXPECT_EQ(host.restart_policy.name, "no");
  EXPECT_EQ(host.runtime, "caisson-runtime");
  EXPECT_EQ(host.log_config.type, "json-file");
  EXPECT_EQ(host.log_config.config.at("max-size"), "1m");
  EXPECT_THAT(*host.masked_paths, Contains("/proc/kcore"));
  EXPECT_EQ(host.resources.oom_kill_disable, false);
}

TEST_F(HostConfigRules, MemorySwapIsTwiceTheMemory) {
  host.resources.memory = 64 << 20;
  settle();
  EXPECT_EQ(host.resources.memory_swap, 128 << 20);
}

TEST_F(HostConfigRules, MemoryErrors) {
  host.resources.memory = 1000;
  EXPECT_EQ(error(), "Minimum memory limit allowed is 6MB");
  host.resources.memory = 64 << 20;
  host.resources.memory_swap = 32 << 20;
  EXPECT_THAT(error(), StartsWith("Minimum memoryswap limit should be larger"));
  host.resources.memory = 0;
  EXPECT_THAT(error(), StartsWith("You should always set the Memory limit"));
  host.resources.memory_swap = 0;
  host.resources.memory_swappiness = 101;
  EXPECT_EQ(error(), "Invalid value: 101, valid memory swappiness range is 0-100");
}

TEST_F(HostConfigRules, CpuErrors) {
  host.resources.nano_cpus = 3'000'000'000;
  EXPECT_EQ(error(), "Range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available");
  host.resources.nano_cpus = 1'000'000'000;
  host.resources.cpu_quota = 5000;
  EXPECT_EQ(error(), "Conflicting options: Nano CPUs and CPU Quota cannot both be set");
  host.resources.nano_cpus = 0;
  host.resources.cpuset_cpus = "0,7";
  EXPECT_EQ(error(), "Requested CPUs are not available - requested 0,7, available: 0-1");
  host.resources.cpuset_cpus = "1-0";
  EXPECT_EQ(error(), "Invalid value 1-0 for cpuset cpus: invalid format: 1-0");
}

TEST_F(HostConfigRules, WhatTheKernelLacksIsDiscardedWithAWarning) {
  facts.swap_limit = facts.pids = facts.cpuset = false;
  host.resources.memory = 64 << 20;
  host.resources.memory_swap = 128 << 20;
  host.resources.pids_limit = 9;
  host.resources.cpuset_cpus = "9";
  EXPECT_EQ(settle().size(), 3U);
  EXPECT_EQ(host.resources.memory_swap, -1);
  EXPECT_FALSE(host.resources.pids_limit);
}

TEST_F(HostConfigRules, NetworkConflicts) {
  host.network_mode = "container:x";
  config.hostname = "h";
  EXPECT_EQ(error(), "conflicting options: hostname and the network mode");
  config.hostname.clear();
  host.port_bindings = spec::api::PortMap{{"80/tcp", std::nullopt}};
  EXPECT_EQ(error(), "conflicting options: port publishing and the container type network mode");
  host.network_mode = "host";
  host.port_bindings = spec::api::PortMap{{"80/tcp", std::nullopt}};
  EXPECT_THAT(settle(), ElementsAre("Published ports are discarded when using host network mode"));
}

TEST_F(HostConfigRules, Modes) {
  host.ipc_mode = "martian";
  EXPECT_EQ(error(), "invalid IPC mode: martian");
  host.ipc_mode = "container:";
  EXPECT_EQ(error(), "invalid IPC mode: container:");
  host.ipc_mode = "";
  host.pid_mode = "private";
  EXPECT_EQ(error(), "invalid PID mode: private");
}

TEST_F(HostConfigRules, RestartPolicies) {
  host.restart_policy = {"sometimes", 0};
  EXPECT_THAT(error(), StartsWith("invalid restart policy: unknown policy 'sometimes'"));
  host.restart_policy = {"always", 3};
  EXPECT_EQ(error(), "invalid restart policy: maximum retry count can only be used with 'on-failure'");
  host.restart_policy = {"on-failure", -1};
  EXPECT_EQ(error(), "invalid restart policy: maximum retry count cannot be negative");
  host.restart_policy = {"always", 0};
  host.auto_remove = true;
  EXPECT_EQ(error(), "can't create 'AutoRemove' container with restart policy");
}

TEST_F(HostConfigRules, OtherErrors) {
  config.working_dir = "x";
  EXPECT_EQ(error(), "the working directory 'x' is invalid, it needs to be an absolute path");
  config.working_dir.clear();
  config.exposed_ports = spec::api::NameSet{{"80/xyz", {}}};
  EXPECT_EQ(error(), "invalid proto: xyz");
  config.exposed_ports.reset();
  host.oom_score_adj = 2000;
  EXPECT_EQ(error(), "Invalid value 2000, range for oom score adj is [-1000, 1000]");
  host.oom_score_adj = 0;
  host.runtime = "gvisor";
  EXPECT_EQ(error(), "unknown or invalid runtime name: gvisor");
  host.runtime = "crun";
  EXPECT_EQ(error(), "");
  host.cap_add = StringList{"fly"};
  EXPECT_EQ(error(), "invalid CapAdd: unknown capability: \"CAP_FLY\"");
}

}  // namespace
}  // namespace engine
