#include "spec/runtime_config.h"

#include <gtest/gtest.h>

namespace spec::oci {
namespace {

constexpr std::string_view kConfig = R"({"ociVersion":"1.3.0",
 "process":{"terminal":true,"consoleSize":{"height":24,"width":80},"user":{"uid":1,"gid":2,"umask":18,"additionalGids":[5,6]},
  "args":["sh","-c","true"],"env":["A=b"],"cwd":"/w","capabilities":{"bounding":["CAP_CHOWN"],"ambient":["CAP_CHOWN"]},
  "rlimits":[{"type":"RLIMIT_NOFILE","hard":18446744073709551615,"soft":1024}],"noNewPrivileges":true,"oomScoreAdj":0,
  "scheduler":{"policy":"SCHED_BATCH","nice":3},"ioPriority":{"class":"IOPRIO_CLASS_BE","priority":4}},
 "root":{"path":"rootfs","readonly":true},"hostname":"h",
 "mounts":[{"destination":"/data","type":"bind","source":"/src","options":["rbind","ro"],"uidMappings":[{"containerID":0,"hostID":1000,"size":1}]}],
 "hooks":{"createRuntime":[{"path":"/bin/x","args":["x"],"timeout":3}]},"annotations":{"k":"v"},
 "linux":{"namespaces":[{"type":"pid"},{"type":"network","path":"/proc/1/ns/net"}],
  "resources":{"memory":{"limit":-1,"swap":0},"cpu":{"quota":-1,"shares":0},"pids":{"limit":10},"devices":[{"allow":false,"access":"rwm"}],"unified":{"memory.high":"1"}},
  "seccomp":{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":38,"syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":18446744073709551615,"op":"SCMP_CMP_EQ"}]}]},
  "timeOffsets":{"monotonic":{"secs":-5}}},
 "windows":{"layerFolders":[]}})";

TEST(RuntimeConfig, ReadsEveryKindOfField) {
  auto parsed = parse_spec(kConfig);
  ASSERT_TRUE(parsed) << parsed.error().message();
  const Spec& spec = *parsed;
  EXPECT_EQ(spec.process->rlimits[0].hard, UINT64_MAX);
  EXPECT_EQ(spec.process->oom_score_adj, 0);
  EXPECT_EQ(spec.process->user.umask, 18U);
  EXPECT_EQ(spec.process->capabilities->ambient, std::vector<std::string>{"CAP_CHOWN"});
  EXPECT_EQ(spec.mounts[0].uid_mappings[0].host_id, 1000U);
  EXPECT_EQ(spec.hooks->create_runtime[0].timeout, 3);
  EXPECT_EQ(spec.linux_section->namespaces[1].path, "/proc/1/ns/net");
  EXPECT_EQ(spec.linux_section->resources->memory->limit, -1);
  EXPECT_EQ(spec.linux_section->resources->memory->swap, 0);
  EXPECT_FALSE(spec.linux_section->resources->memory->reservation.has_value());
  EXPECT_EQ(spec.linux_section->seccomp->syscalls[0].args[0].value, UINT64_MAX);
  EXPECT_EQ(spec.linux_section->time_offsets.at("monotonic").secs, -5);
}

TEST(RuntimeConfig, WritingKeepsZerosThatMeanSomething) {
  const Spec spec = parse_spec(kConfig).value();
  const std::string text = to_text(spec);
  const auto again = parse_spec(text);
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(to_text(*again), text);
  EXPECT_NE(text.find("\"oomScoreAdj\":0"), std::string::npos);
  EXPECT_NE(text.find("\"swap\":0"), std::string::npos);
  EXPECT_NE(text.find("\"defaultErrnoRet\":38"), std::string::npos);
}

TEST(RuntimeConfig, ANulCharacterIsRefused) {
  const auto failed = parse_spec(R"({"ociVersion":"1.3.0","process":{"user":{"uid":0,"gid":0},"cwd":"/","args":["sh","a\u0000b"]}})");
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().message().find("process.args[1]"), std::string::npos) << failed.error().message();
  EXPECT_FALSE(parse_spec(R"({"ociVersion":"1.3.0","annotations":{"a\u0000":"b"}})"));
  EXPECT_TRUE(parse_spec(R"({"ociVersion":"1.3.0","annotations":{"a":"\\u0000"}})")) << "an escaped backslash and digits";
}

TEST(RuntimeConfig, PageSizesAreTheKernelsOwn) {
  for (const char* right : {"2MB", "64KB", "1GB"}) {
    EXPECT_TRUE(parse_resources(std::string{R"({"hugepageLimits":[{"limit":1,"pageSize":")"} + right + R"("}]})")) << right;
  }
  for (const char* wrong : {"", "2", "MB", "64kB", "02MB", "2M", "2TB", "2MB/../x"}) {
    const auto failed = parse_resources(std::string{R"({"hugepageLimits":[{"limit":1,"pageSize":")"} + wrong + R"("}]})");
    ASSERT_FALSE(failed) << wrong;
    EXPECT_NE(failed.error().message().find("hugepageLimits[0].pageSize"), std::string::npos) << failed.error().message();
  }
}

TEST(RuntimeConfig, AWrongTypeNamesTheField) {
  const auto failed = parse_spec(R"({"ociVersion":"1.0.2","linux":{"resources":{"memory":{"limit":"lots"}}}})");
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().message().find("linux.resources.memory.limit"), std::string::npos)
      << failed.error().message();
}

}  // namespace
}  // namespace spec::oci
