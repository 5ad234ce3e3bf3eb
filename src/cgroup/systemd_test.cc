#include "cgroup/systemd.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include "cgroup/systemd_manager.h"

namespace cgroup {
namespace {

constexpr std::uint64_t kNewest = 257;

std::string unit_text(std::string_view path, bool user = false) {
  const auto unit = systemd_unit(path, "id1", user);
  return unit ? unit->slice + " " + unit->name : unit.error().message();
}

TEST(SystemdUnit, IsNamedByPath) {
  EXPECT_EQ(unit_text(""), "system.slice caisson-id1.scope");
  EXPECT_EQ(unit_text("", true), "user.slice caisson-id1.scope");
  EXPECT_EQ(unit_text("machine.slice:libpod:abc"), "machine.slice libpod-abc.scope");
  EXPECT_EQ(unit_text(":docker:abc"), "system.slice docker-abc.scope");
  EXPECT_EQ(unit_text("a-b.slice::abc"), "a-b.slice abc.scope");
  EXPECT_EQ(unit_text("a.slice:x:a-b.slice"), "a.slice a-b.slice");
  EXPECT_EQ(unit_text("-.slice:x:y"), "-.slice x-y.scope");
  EXPECT_EQ(unit_text(":p:a+b/c"), "system.slice p-a\\x2bb\\x2fc.scope");
  EXPECT_EQ(unit_text("/docker/abc"),
            R"(expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups, got "/docker/abc" instead)");
  for (const char* wrong : {"a:b", "a:b:c:d", "x:y:z", "../a.slice:b:c", "a--b.slice:b:c", "-a.slice:b:c", "a-.slice:b:c",
                            ".slice:b:c", "a.slice:b:", "a.slice:b:x--y.slice"}) {
    EXPECT_TRUE(systemd_unit(wrong, "id", false).failed_as(base::ErrorKind::InvalidArgument)) << wrong;
  }
  EXPECT_FALSE(systemd_unit(":p:" + std::string(300, 'x'), "id", false));
}

TEST(SystemdUnit, HasAPlaceInNestedSlices) {
  EXPECT_EQ(expand_slice("-.slice").value(), "");
  EXPECT_EQ(expand_slice("system.slice").value(), "/system.slice");
  EXPECT_EQ(expand_slice("a-b-c.slice").value(), "/a.slice/a-b.slice/a-b-c.slice");
  EXPECT_EQ(control_group_of({"p-x.scope", "a-b.slice"}).value(), "/a.slice/a-b.slice/p-x.scope");
  EXPECT_EQ(control_group_of({"a-b.slice", "a.slice"}).value(), "/a.slice/a-b.slice");
}

std::string gvariant(std::string_view text) {
  std::string signature;
  const auto value = parse_gvariant(text, signature);
  return value ? signature + " " + value->dump() : "error";
}

TEST(GVariant, HasAType) {
  EXPECT_EQ(gvariant("true"), "b true");
  EXPECT_EQ(gvariant(" 5 "), "i 5");
  EXPECT_EQ(gvariant("-0x10"), "i -16");
  EXPECT_EQ(gvariant("010"), "i 8");
  EXPECT_EQ(gvariant("uint64 18446744073709551615"), "t 18446744073709551615");
  EXPECT_EQ(gvariant("@t 5"), "t 5");
  EXPECT_EQ(gvariant("byte 0xff"), "y 255");
  EXPECT_EQ(gvariant("2.5"), "d 2.5");
  EXPECT_EQ(gvariant("double 3"), "d 3");
  EXPECT_EQ(gvariant("'it''"), "error");
  EXPECT_EQ(gvariant(R"("a\"b\u00e4\n")"), "s \"a\\\"b\u00e4\\n\"");
  EXPECT_EQ(gvariant("['a', 'b']"), R"(as ["a","b"])");
  EXPECT_EQ(gvariant("@as []"), "as []");
  EXPECT_EQ(gvariant("[1, uint64 2]"), "at [1,2]");
  EXPECT_EQ(gvariant("[1, 2.5]"), "ad [1,2.5]");
  EXPECT_EQ(gvariant("('a', uint32 7, [true])"), R"((suab) ["a",7,[true]])");
  EXPECT_EQ(gvariant("[('/dev/null', 'rw')]"), R"(a(ss) [["/dev/null","rw"]])");
  EXPECT_EQ(gvariant("{'a': 1, 'b': 2}"), R"(a{si} [["a",1],["b",2]])");
  EXPECT_EQ(gvariant("<uint64 5>"), R"(v {"s":"t","v":5})");
  EXPECT_EQ(gvariant(R"(b'a\101')"), "ay [97,65]");
  EXPECT_EQ(gvariant("objectpath '/a'"), R"(o "/a")");
}

TEST(GVariant, RefusesWhatItCantType) {
  std::string deep(5000, '[');
  for (const std::string& text :
       {std::string{}, std::string{"["}, std::string{"[]"}, std::string{"1 2"}, std::string{"byte 256"}, std::string{"uint64 -1"},
        std::string{"['a', 1]"}, std::string{"'a"}, std::string{"nothing"}, std::string{"@m 5"}, std::string{"@a 5"},
        std::string{"()"}, std::string{"{'a' 1}"}, std::string{"{[1]: 2}"}, std::string{"uint32 @t 5"}, std::string{"\"\\u12\""},
        std::string{"@(ss) ('a',)"}, std::string{"@(s) ('a','b')"}, std::string{"1e999"}, deep}) {
    EXPECT_EQ(gvariant(text), "error") << text;
  }
}

std::string text_of(const std::vector<UnitProperty>& properties) {
  std::string out;
  for (const auto& one : properties) {
    out += fmt::format("{}{}={}", out.empty() ? "" : " ", one.name, one.value.dump());
    EXPECT_FALSE(one.signature.empty());
  }
  return out;
}

TEST(Annotations, BecomeProperties) {
  const auto properties = annotated_properties({{"org.systemd.property.TimeoutStopSec", "5"},
                                                {"org.systemd.property.RuntimeMaxSec", "2.5"},
                                                {"org.systemd.property.CollectMode", "'inactive'"},
                                                {"org.systemd.property.After", "['a.service']"},
                                                {"other", "x"}});
  ASSERT_TRUE(properties) << properties.error().message();
  EXPECT_EQ(text_of(*properties),
            R"(After=["a.service"] CollectMode="inactive" RuntimeMaxUSec=2500000 TimeoutStopUSec=5000000)");
  for (const auto& [name, value] : std::map<std::string, std::string>{{"Ab", "1"}, {"A_b_c", "1"}, {"Description", "x"},
                                                                      {"TimeoutStopSec", "'a'"}, {"StopSec", "-1"}}) {
    EXPECT_TRUE(annotated_properties({{"org.systemd.property." + name, value}}).failed_as(base::ErrorKind::InvalidArgument)) << name;
  }
}

std::string properties_of(Resources wanted, bool v2 = true, std::uint64_t version = kNewest) {
  const auto properties = resource_properties(wanted, {version, ""}, v2);
  return properties ? text_of(*properties) : properties.error().message();
}

TEST(ResourceProperties, OfMemory) {
  Resources wanted;
  wanted.memory_limit = 1000;
  wanted.memory_and_swap = 1500;
  wanted.memory_reservation = 500;
  EXPECT_EQ(properties_of(wanted), "MemoryMax=1000 MemoryLow=500 MemorySwapMax=500");
  EXPECT_EQ(properties_of(wanted, false), "MemoryLimit=1000");
  wanted.memory_and_swap = 900;
  EXPECT_EQ(properties_of(wanted), "memory+swap limit should be >= memory limit");
  wanted = {};
  wanted.memory_limit = -1;
  EXPECT_EQ(properties_of(wanted), "MemoryMax=18446744073709551615 MemorySwapMax=18446744073709551615");
}

TEST(ResourceProperties, OfCpu) {
  Resources wanted;
  wanted.cpu_shares = 1024;
  wanted.cpu_quota = 50'000;
  wanted.cpu_period = 200'000;
  EXPECT_EQ(properties_of(wanted), "CPUWeight=100 CPUQuotaPeriodUSec=200000 CPUQuotaPerSecUSec=250000");
  EXPECT_EQ(properties_of(wanted, false), "CPUShares=1024 CPUQuotaPeriodUSec=200000 CPUQuotaPerSecUSec=250000");
  EXPECT_EQ(properties_of(wanted, true, 241), "CPUWeight=100 CPUQuotaPerSecUSec=250000");
  wanted.cpu_idle = 1;
  EXPECT_EQ(properties_of(wanted), "CPUWeight=0 CPUQuotaPeriodUSec=200000 CPUQuotaPerSecUSec=250000");
  EXPECT_EQ(properties_of(wanted, true, 251), "CPUWeight=100 CPUQuotaPeriodUSec=200000 CPUQuotaPerSecUSec=250000");
  wanted = {};
  wanted.cpu_quota = -1;
  EXPECT_EQ(properties_of(wanted), "CPUQuotaPerSecUSec=18446744073709551615");
  wanted = {};
  wanted.cpu_period = 50'000;
  EXPECT_EQ(properties_of(wanted), "CPUQuotaPeriodUSec=50000");
}

TEST(ResourceProperties, RoundTheQuotaAsSystemdDoes) {
  Resources wanted;
  wanted.cpu_quota = 12'345;
  wanted.cpu_period = 100'000;
  const auto properties = resource_properties(wanted, {kNewest, ""}, true);
  ASSERT_TRUE(properties);
  EXPECT_EQ(text_of(*properties), "CPUQuotaPeriodUSec=100000 CPUQuotaPerSecUSec=130000");
  EXPECT_EQ(wanted.cpu_quota, 13'000);
  // What no kernel takes is left for it to refuse.
  wanted.cpu_quota = INT64_MAX;
  EXPECT_TRUE(resource_properties(wanted, {kNewest, ""}, true));
  EXPECT_EQ(wanted.cpu_quota, INT64_MAX);
}

TEST(ResourceProperties, OfSetsTasksAndIo) {
  Resources wanted;
  wanted.cpus = "0-2, 9";
  wanted.mems = "0";
  wanted.pids_limit = 7;
  wanted.io_weight = 500;
  EXPECT_EQ(properties_of(wanted), "AllowedCPUs=[7,2] AllowedMemoryNodes=[1] TasksMax=7 IOWeight=4950");
  EXPECT_EQ(properties_of(wanted, false), "AllowedCPUs=[7,2] AllowedMemoryNodes=[1] TasksMax=7 BlockIOWeight=500");
  EXPECT_EQ(properties_of(wanted, true, 243), "TasksMax=7 IOWeight=4950");
  wanted = {};
  wanted.pids_limit = -1;
  EXPECT_EQ(properties_of(wanted), "TasksMax=18446744073709551615");
  for (const char* wrong : {"a", "3-1", ",", "0-99999999", "-1"}) {
    wanted.cpus = wrong;
    EXPECT_EQ(properties_of(wanted), fmt::format("not a list of numbers: \"{}\"", wrong));
  }
}

TEST(ResourceProperties, OfTheUnifiedMap) {
  Resources wanted;
  wanted.unified = {{"cpu.max", "20000 50000"}, {"cpu.weight", "50"},   {"cpuset.cpus", "1"}, {"io.weight", "default 200"},
                    {"memory.high", "900\n"},   {"memory.min", "max"}, {"pids.max", "0"},    {"hugetlb.2MB.max", "0"}};
  EXPECT_EQ(properties_of(wanted),
            "CPUQuotaPeriodUSec=50000 CPUQuotaPerSecUSec=400000 CPUWeight=50 AllowedCPUs=[2] IOWeight=200 MemoryHigh=900 "
            "MemoryMin=18446744073709551615 TasksMax=1");
  wanted.unified = {{"cpu.idle", "1"}, {"cpu.weight", "50"}};
  EXPECT_EQ(properties_of(wanted), "CPUWeight=0");
  // OOMPolicy is a new unit's only.
  wanted.unified = {{"memory.oom.group", "1"}};
  EXPECT_EQ(properties_of(wanted), "");
  wanted.devices.emplace();
  EXPECT_EQ(properties_of(wanted), R"(DevicePolicy="strict" DeviceAllow=[] OOMPolicy="kill")");
  for (const auto& [file, contents] : std::map<std::string, std::string>{
           {"../x.y", "1"}, {"nodot", "1"}, {"memory.max", "lots"}, {"cpu.max", ""}, {"cpu.max ", "1 2 3"}}) {
    wanted = {};
    wanted.unified[file] = contents;
    if (file != "cpu.max ") {
      EXPECT_FALSE(resource_properties(wanted, {kNewest, ""}, true)) << file;
    }
  }
}

std::string devices_of(const std::vector<DeviceRule>& rules, bool v2 = true, std::uint64_t version = kNewest) {
  Resources wanted;
  wanted.devices = rules;
  return properties_of(wanted, v2, version);
}

TEST(DeviceProperties, AreAListOfWhatIsAllowed) {
  const DeviceRule nothing{.allow = false};
  const DeviceRule null{.allow = true, .type = 'c', .major = 1, .minor = 3};
  EXPECT_EQ(devices_of({nothing}), R"(DevicePolicy="strict" DeviceAllow=[])");
  EXPECT_EQ(devices_of({nothing, null, {.allow = true, .type = 'c', .read = false, .write = false}, {.allow = true, .type = 'b', .major = 8}}),
            R"(DevicePolicy="strict" DeviceAllow=[] DeviceAllow=[["/dev/char/1:3","rwm"],["char-*","m"],["block-8","rwm"]])");
  // Everything.
  EXPECT_EQ(devices_of({nothing, {.allow = true}, null}), R"(DevicePolicy="auto" DeviceAllow=[])");
  // A rule that takes all back, and one that takes a part of one entry.
  EXPECT_EQ(devices_of({null, nothing, {.allow = true, .type = 'c', .major = 1, .minor = 5}, {.allow = false, .type = 'c', .major = 1, .minor = 5, .read = false, .mknod = false}}),
            R"(DevicePolicy="strict" DeviceAllow=[] DeviceAllow=[["/dev/char/1:5","rm"]])");
}

TEST(DeviceProperties, GiveWayToTheFilterWhereThereAreNoWords) {
  const std::vector<DeviceRule> all_but{{.allow = true}, {.allow = false, .type = 'c', .major = 1, .minor = 3}};
  const std::vector<DeviceRule> hole{{.allow = true, .type = 'c', .major = 1}, {.allow = false, .type = 'c', .major = 1, .minor = 3}};
  const std::vector<DeviceRule> any_major{{.allow = true, .type = 'c', .minor = 3}, {.allow = true, .type = 'c', .major = 1, .minor = 5}};
  for (const auto& rules : {all_but, hole, any_major}) {
    EXPECT_EQ(devices_of(rules), R"(DevicePolicy="auto" DeviceAllow=[])");
  }
  // v1: never more than was asked for.
  EXPECT_EQ(devices_of(all_but, false), R"(DevicePolicy="strict" DeviceAllow=[])");
  EXPECT_EQ(devices_of(hole, false), R"(DevicePolicy="strict" DeviceAllow=[])");
  EXPECT_EQ(devices_of(any_major, false), R"(DevicePolicy="strict" DeviceAllow=[] DeviceAllow=[["/dev/char/1:5","rwm"]])");
  // Too old for majors alone.
  EXPECT_EQ(devices_of({{.allow = true, .type = 'c', .major = 136}}, false, 239), R"(DevicePolicy="strict" DeviceAllow=[])");
}

TEST(CreationProperties, MakeAScopeAroundAProcess) {
  EXPECT_EQ(text_of(creation_properties({"d-x.scope", "a.slice"}, "words", 42, {kNewest, ""}, true)),
            R"(Description="words" Slice="a.slice" Delegate=true PIDs=[42] CPUAccounting=true MemoryAccounting=true )"
            R"(TasksAccounting=true IOAccounting=true DefaultDependencies=false CollectMode="inactive-or-failed")");
  EXPECT_EQ(text_of(creation_properties({"a-b.slice", "a.slice"}, "words", 0, {235, ""}, false)),
            R"(Description="words" Wants=["a.slice"] CPUAccounting=true MemoryAccounting=true TasksAccounting=true )"
            R"(BlockIOAccounting=true DefaultDependencies=false)");
}

TEST(SystemdManager, NamesWhatIsMissing) {
  auto manager = SystemdManager::start_program("/nonexistent/caisson-systemd", false);
  EXPECT_TRUE(manager.failed_as(base::ErrorKind::NotFound));
  // A program that says nothing.
  auto silent = SystemdManager::start_program("/bin/true", false);
  ASSERT_TRUE(silent) << silent.error().message();
  EXPECT_NE(silent->start_unit("x.scope", {}).error().message().find("ended unexpectedly"), std::string::npos);
}

}  // namespace
}  // namespace cgroup
