#include "cgroup/cgroup.h"

#include <csignal>
#include <cstdlib>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/id.h"
#include "cgroup/detail/apply.h"
#include "cgroup/detail/files.h"
#include "sys/file.h"
#include "sys/namespace.h"
#include "sys/process.h"

namespace cgroup {
namespace {

using detail::read;

/// A real cgroup of this host under a name of its own.
class CgroupTest : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    auto host = Host::detect();
    if (!host) GTEST_SKIP() << host.error().message();
    host_ = *host;
    auto made = Cgroup::create(host_, name_ + "/a");
    if (made.failed_as(base::ErrorKind::PermissionDenied)) GTEST_SKIP() << made.error().message();
    ASSERT_TRUE(made) << made.error().message();
    cgroup_ = std::move(*made);
  }
  void TearDown() override {
    EXPECT_TRUE(cgroup_.remove());
    if (auto parent = Cgroup::plan(host_, name_)) {
      EXPECT_TRUE(parent->remove());
    }
  }

  /// A child in the cgroup that runs `body`.
  template <class F>
  sys::Process child(F body) {
    const Entry entry = cgroup_.entry().value();
    auto process = sys::clone_process({.cgroup = entry.v2_directory.get()}).value();
    if (!process.valid()) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      for (const auto& tasks : entry.v1_tasks) {
        if (::write(tasks.get(), "0", 1) != 1) ::_exit(120);
      }
      body();
      ::_exit(0);
    }
    return process;
  }
  sys::Process sleeper() {
    // Until it says so it may be in some of the hierarchies only.
    auto inside = sys::make_pipe().value();
    auto process = child([&] {
      base::ignore(sys::write_some(inside.write.get(), "x"), "the test would wait for ever, and say so");
      ::pause();
    });
    char byte = 0;
    EXPECT_EQ(sys::read_some(inside.read.get(), {&byte, 1}).value(), 1U);
    return process;
  }
  bool v1(std::string_view controller) { return host_.v1(controller) != nullptr; }

  std::string name_ = "/caisson-test-" + base::random_hex(12);
  Host host_;
  Cgroup cgroup_;
};

TEST_F(CgroupTest, HoldsItsProcessesInEveryHierarchy) {
  const sys::Process process = sleeper();
  const std::string text = sys::read_file(sys::kCwd, fmt::format("/proc/{}/cgroup", process.pid())).value();
  std::size_t lines = 0;
  std::size_t inside = 0;
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; ++at) ++lines;
  for (std::size_t at = 0; (at = text.find(name_ + "/a\n", at)) != std::string::npos; ++at) ++inside;
  EXPECT_EQ(inside, host_.hierarchies.size());
  EXPECT_GE(lines, inside);
  EXPECT_EQ(cgroup_.processes().value(), std::vector<pid_t>{process.pid()});
  ASSERT_TRUE(cgroup_.signal_all(SIGKILL));
  EXPECT_EQ(process.wait()->signal(), SIGKILL);
}

TEST_F(CgroupTest, IsFoundAgainByItsDirectories) {
  const Cgroup again = Cgroup::open(host_, cgroup_.directories()).value();
  EXPECT_EQ(again.directories(), cgroup_.directories());
  auto some = cgroup_.directories();
  some.push_back(host_.hierarchies[0].mount_point + "/not-there");
  EXPECT_EQ(Cgroup::open(host_, some)->directories(), cgroup_.directories());
}

TEST_F(CgroupTest, WritesLimitsAndGrowsAndShrinksThem) {
  Resources first;
  first.memory_limit = 64 << 20;
  first.memory_and_swap = 128 << 20;
  first.pids_limit = 17;
  first.cpu_quota = 50000;
  first.cpu_period = 100000;
  first.cpu_shares = 512;
  first.cpus = "0";
  ASSERT_TRUE(cgroup_.apply(first)) << cgroup_.apply(first).error().message();
  if (v1("memory")) {
    EXPECT_EQ(read(cgroup_.directory_of("memory"), "memory.limit_in_bytes").value(), "67108864\n");
    EXPECT_EQ(read(cgroup_.directory_of("memory"), "memory.memsw.limit_in_bytes").value(), "134217728\n");
    EXPECT_EQ(read(cgroup_.directory_of("cpu"), "cpu.cfs_quota_us").value(), "50000\n");
    EXPECT_EQ(read(cgroup_.directory_of("cpuset"), "cpuset.cpus").value(), "0\n");
    EXPECT_EQ(read(cgroup_.directory_of("pids"), "pids.max").value(), "17\n");
  }
  Resources more;
  more.memory_limit = 512 << 20;
  more.memory_and_swap = 1 << 30;
  EXPECT_TRUE(cgroup_.apply(more));
  EXPECT_TRUE(cgroup_.apply(first));
  Resources none;
  none.memory_limit = -1;
  none.pids_limit = -1;
  EXPECT_TRUE(cgroup_.apply(none));
  const Stats stats = cgroup_.stats().value();
  EXPECT_EQ(stats.memory.limit, UINT64_MAX);
  EXPECT_EQ(stats.pids.limit, 0U);
}

TEST_F(CgroupTest, RefusesALimitBelowUseOnUpdate) {
  const auto process = child([] {
    void* memory = ::mmap(nullptr, 8 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory != MAP_FAILED) ::pause();
  });
  while (cgroup_.stats()->memory.usage < 8 << 20) ::usleep(200);
  Resources wanted;
  wanted.memory_limit = 1 << 20;
  wanted.check_before_update = true;
  EXPECT_TRUE(cgroup_.apply(wanted).failed_as(base::ErrorKind::Conflict));
  ASSERT_TRUE(process.signal(SIGKILL));
  ASSERT_TRUE(process.wait());
}

TEST_F(CgroupTest, FreezesAndThaws) {
  int ticks[2];
  ASSERT_EQ(::pipe2(ticks, O_NONBLOCK | O_CLOEXEC), 0);
  const auto process = child([&] {
    while (true) {
      base::ignore(sys::write_some(ticks[1], "x"), "a full pipe is no matter");
      ::usleep(500);
    }
  });
  const auto drain = [&] {
    char buffer[65536];
    std::size_t total = 0;
    while (const auto count = sys::read_some(ticks[0], buffer)) total += *count;
    return total;
  };
  while (drain() == 0) ::usleep(500);
  ASSERT_TRUE(cgroup_.freeze());
  EXPECT_TRUE(cgroup_.frozen().value());
  drain();
  ::usleep(20000);
  EXPECT_EQ(drain(), 0U);
  ASSERT_TRUE(cgroup_.thaw());
  EXPECT_FALSE(cgroup_.frozen().value());
  while (drain() == 0) ::usleep(500);
  // Killing works on frozen ones, too.
  ASSERT_TRUE(cgroup_.freeze());
  ASSERT_TRUE(cgroup_.signal_all(SIGKILL));
  EXPECT_TRUE(process.wait()->by_signal());
  ::close(ticks[0]);
  ::close(ticks[1]);
}

TEST_F(CgroupTest, TellsOutOfMemoryKills) {
  Resources wanted;
  wanted.memory_limit = 8 << 20;
  wanted.memory_and_swap = 8 << 20;
  const auto applied = cgroup_.apply(wanted);
  if (applied.failed_as(base::ErrorKind::NotImplemented)) GTEST_SKIP() << applied.error().message();
  ASSERT_TRUE(applied) << applied.error().message();
  auto watch = cgroup_.watch_oom();
  ASSERT_TRUE(watch) << watch.error().message();
  EXPECT_FALSE(sys::poll_readable(watch->fd(), std::chrono::milliseconds{0}));
  EXPECT_EQ(watch->kills().value(), 0U);
  const auto process = child([] {
    constexpr std::size_t kSize = 64 << 20;
    auto* memory = static_cast<char*>(
        ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    for (std::size_t i = 0; i < kSize; i += 4096) memory[i] = 1;
  });
  EXPECT_EQ(process.wait()->signal(), SIGKILL);
  EXPECT_TRUE(sys::poll_readable(watch->fd(), std::chrono::seconds{5}));
  EXPECT_EQ(watch->kills().value(), 1U);
  EXPECT_FALSE(sys::poll_readable(watch->fd(), std::chrono::milliseconds{0}));
  EXPECT_EQ(cgroup_.stats()->oom_kills, 1U);
}

TEST_F(CgroupTest, CountsUse) {
  const auto process = child([] {
    void* memory = ::mmap(nullptr, 4 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    for (int i = 0; i < 20'000'000; ++i) asm volatile("");
    if (memory != MAP_FAILED) ::pause();
  });
  while (cgroup_.stats()->cpu.total_ns < 1'000'000) ::usleep(500);
  const Stats stats = cgroup_.stats().value();
  EXPECT_EQ(stats.pids.current, 1U);
  EXPECT_GT(stats.memory.usage, 0U);
  EXPECT_FALSE(stats.memory.details.empty());
  ASSERT_TRUE(cgroup_.signal_all(SIGKILL));
  ASSERT_TRUE(process.wait());
}

TEST_F(CgroupTest, DeniesDevicesByList) {
  Resources wanted{.devices = std::vector<DeviceRule>{}};
  wanted.devices->push_back({.allow = false});
  wanted.devices->push_back({.allow = true, .type = 'c', .major = 1, .minor = 3});
  wanted.devices->push_back({.allow = true, .type = 'c', .major = 1, .minor = 5, .write = false, .mknod = false});
  ASSERT_TRUE(cgroup_.apply(wanted)) << cgroup_.apply(wanted).error().message();
  const auto process = child([] {
    const bool null = ::open("/dev/null", O_RDWR | O_CLOEXEC) >= 0;
    const bool zero_read = ::open("/dev/zero", O_RDONLY | O_CLOEXEC) >= 0;
    const bool zero_write = ::open("/dev/zero", O_RDWR | O_CLOEXEC) >= 0;
    const bool full = ::open("/dev/full", O_RDONLY | O_CLOEXEC) >= 0;
    ::_exit(null && zero_read && !zero_write && !full ? 0 : 1 + null + 2 * zero_read + 4 * zero_write + 8 * full);
  });
  EXPECT_EQ(process.wait()->shell_code(), 0);
}

TEST_F(CgroupTest, TheFilterProgramDecidesAsTheListDoes) {
  const auto* v2 = host_.v2();
  if (v2 == nullptr) GTEST_SKIP() << "needs a v2 hierarchy";
  Resources wanted{.devices = std::vector<DeviceRule>{}};
  wanted.devices->push_back({.allow = true});
  wanted.devices->push_back({.allow = false, .type = 'c', .major = 1});
  wanted.devices->push_back({.allow = true, .type = 'c', .major = 1, .minor = 3});
  wanted.devices->push_back({.allow = true, .type = 'c', .major = 1, .minor = 5, .write = false, .mknod = false});
  wanted.devices->push_back({.allow = false, .type = 'b', .major = 1, .minor = 5});
  const std::string directory = cgroup_.directory_of("");
  auto applied = detail::apply_devices_v2(directory, wanted);
  if (applied.failed_as(base::ErrorKind::NotImplemented)) GTEST_SKIP() << applied.error().message();
  ASSERT_TRUE(applied) << applied.error().message();
  const auto probe = [] {
    const bool null = ::open("/dev/null", O_RDWR | O_CLOEXEC) >= 0;
    const bool zero_read = ::open("/dev/zero", O_RDONLY | O_CLOEXEC) >= 0;
    const bool zero_write = ::open("/dev/zero", O_RDWR | O_CLOEXEC) >= 0;
    const bool full = ::open("/dev/full", O_RDONLY | O_CLOEXEC) >= 0;
    const bool tty = ::open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC) >= 0;
    ::_exit(null + 2 * zero_read + 4 * zero_write + 8 * full + 16 * tty);
  };
  EXPECT_EQ(child(probe).wait()->shell_code(), 1 + 2 + 16);
  // Another list replaces the first one.
  wanted.devices->assign({{.allow = true}});
  ASSERT_TRUE(detail::apply_devices_v2(directory, wanted));
  EXPECT_EQ(child(probe).wait()->shell_code(), 1 + 2 + 4 + 8 + 16);
  wanted.devices->clear();
  ASSERT_TRUE(detail::apply_devices_v2(directory, wanted));
  EXPECT_EQ(child(probe).wait()->shell_code(), 0);
}

TEST_F(CgroupTest, RemovesWhatAContainerMadeBelow) {
  for (const auto& directory : cgroup_.directories()) {
    ASSERT_TRUE(sys::make_dirs(sys::kCwd, directory + "/x/y", 0755));
  }
  const auto process = sleeper();
  EXPECT_TRUE(cgroup_.remove(std::chrono::milliseconds{50}).failed_as(base::ErrorKind::Conflict));
  ASSERT_TRUE(process.signal(SIGKILL));
  ASSERT_TRUE(process.wait());
  EXPECT_TRUE(cgroup_.remove());
  EXPECT_FALSE(sys::exists(sys::kCwd, cgroup_.directories().front()).value());
}

TEST(CgroupPath, NeverLeavesTheHierarchy) {
  Host host;
  host.hierarchies.push_back({"/sys/fs/cgroup", {}, true, "/"});
  EXPECT_TRUE(Cgroup::plan(host, "/a/../../etc").failed_as(base::ErrorKind::InvalidArgument));
  EXPECT_TRUE(Cgroup::plan(host, "/").failed_as(base::ErrorKind::InvalidArgument));
  EXPECT_TRUE(Cgroup::plan(host, "/" + std::string(256, 'x')).failed_as(base::ErrorKind::InvalidArgument));
  EXPECT_TRUE(Cgroup::plan(host, "/" + std::string(255, 'x')));
  EXPECT_EQ(Cgroup::plan(host, "//a/./b/")->directories().front(), "/sys/fs/cgroup/a/b");
}

/// cgroup v2 as files in a directory: what is written there can be read back.
class FakeV2Test : public testing::Test {
 protected:
  FakeV2Test() {
    std::string name = testing::TempDir() + "/caisson-cgroup-XXXXXX";
    root_ = ::mkdtemp(name.data());
  }
  ~FakeV2Test() override { EXPECT_TRUE(sys::remove_tree(sys::kCwd, root_)); }
  void put(const std::string& path, std::string_view text = "") {
    ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, root_ + "/" + path, text));
  }
  std::string get(const std::string& path) { return sys::read_file(sys::kCwd, root_ + "/" + path).value(); }

  std::string root_;
};

TEST_F(FakeV2Test, HandsControllersDownAndWritesItsOwnFiles) {
  put("cgroup.controllers", "cpu io memory pids\n");
  put("cgroup.subtree_control", "memory\n");
  ASSERT_TRUE(sys::make_dirs(sys::kCwd, root_ + "/docker/x", 0755));
  put("docker/cgroup.controllers", "cpu io memory pids\n");
  put("docker/cgroup.subtree_control", "");
  const Host host = Host::detect_in(root_, "0::/user/me\n").value();
  ASSERT_TRUE(host.v2_only());
  Cgroup cgroup = Cgroup::create(host, "/docker/x").value();
  EXPECT_EQ(get("cgroup.subtree_control"), "+cpu +io +pids");
  EXPECT_EQ(get("docker/cgroup.subtree_control"), "+cpu +io +memory +pids");
  for (const char* file : {"memory.max", "memory.swap.max", "memory.low", "cpu.weight", "cpu.max", "pids.max",
                           "io.weight", "io.max", "memory.high"}) {
    put(std::string{"docker/x/"} + file, "");
  }
  Resources wanted;
  wanted.memory_limit = 1000;
  wanted.memory_and_swap = 1500;
  wanted.memory_reservation = 500;
  wanted.cpu_shares = 1024;
  wanted.cpu_quota = 20000;
  wanted.cpu_period = 50000;
  wanted.pids_limit = 0;
  wanted.io_weight = 500;
  wanted.read_bytes.push_back({{8, 0}, 4096});
  wanted.unified["memory.high"] = "900";
  ASSERT_TRUE(cgroup.apply(wanted)) << cgroup.apply(wanted).error().message();
  EXPECT_EQ(get("docker/x/memory.max").substr(0, 4), "1000");
  EXPECT_EQ(get("docker/x/memory.swap.max").substr(0, 3), "500");
  EXPECT_EQ(get("docker/x/cpu.weight"), "100");
  EXPECT_EQ(get("docker/x/cpu.max"), "20000 50000");
  EXPECT_EQ(get("docker/x/pids.max"), "1");
  EXPECT_EQ(get("docker/x/io.weight"), "default 4950");
  EXPECT_EQ(get("docker/x/io.max"), "8:0 rbps=4096");
  EXPECT_EQ(get("docker/x/memory.high"), "900");

  Resources wrong;
  wrong.memory_limit = 1000;
  wrong.memory_and_swap = 10;
  EXPECT_TRUE(cgroup.apply(wrong).failed_as(base::ErrorKind::InvalidArgument));
  wrong = {};
  wrong.unified["../x"] = "1";
  EXPECT_TRUE(cgroup.apply(wrong).failed_as(base::ErrorKind::InvalidArgument));
  wrong = {};
  wrong.net_class = 1;
  EXPECT_TRUE(cgroup.apply(wrong).failed_as(base::ErrorKind::NotImplemented));
}

TEST_F(FakeV2Test, ReadsItsStatistics) {
  put("cgroup.controllers", "");
  ASSERT_TRUE(sys::make_dirs(sys::kCwd, root_ + "/x", 0755));
  put("x/cpu.stat", "usage_usec 5\nuser_usec 3\nsystem_usec 2\nnr_periods 7\nnr_throttled 1\nthrottled_usec 9\n");
  put("x/memory.current", "4096\n");
  put("x/memory.max", "max\n");
  put("x/memory.stat", "anon 1\nfile 2\n");
  put("x/memory.events", "low 0\nmax 3\noom 1\noom_kill 2\n");
  put("x/io.stat", "8:16 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=0 dios=0\n");
  put("x/pids.current", "4\n");
  put("x/pids.max", "9\n");
  const Host host = Host::detect_in(root_, "0::/\n").value();
  const Stats stats = Cgroup::open(host, {root_ + "/x"})->stats().value();
  EXPECT_TRUE(stats.v2);
  EXPECT_EQ(stats.cpu.total_ns, 5000U);
  EXPECT_EQ(stats.cpu.throttled_ns, 9000U);
  EXPECT_EQ(stats.memory.limit, UINT64_MAX);
  EXPECT_EQ(stats.memory.details.at("file"), 2U);
  EXPECT_EQ(stats.memory.fail_count, 3U);
  EXPECT_EQ(stats.oom_kills, 2U);
  ASSERT_EQ(stats.io.bytes.size(), 2U);
  EXPECT_EQ(stats.io.bytes[1].value, 20U);
  EXPECT_EQ(stats.io.bytes[1].minor, 16U);
  EXPECT_EQ(stats.pids.limit, 9U);
}

TEST_F(FakeV2Test, DetectsAHybrid) {
  for (const char* name : {"memory", "cpu,cpuacct", "systemd", "unified"}) {
    ASSERT_TRUE(sys::make_dirs(sys::kCwd, root_ + "/" + name, 0755));
  }
  const Host host =
      Host::detect_in(root_, "0::/u\n1:name=systemd:/s\n4:memory:/m\n2:cpu,cpuacct:/c\n9:pids:/gone\n").value();
  EXPECT_FALSE(host.v2_only());
  ASSERT_EQ(host.hierarchies.size(), 4U);
  EXPECT_TRUE(host.hierarchies.back().v2);
  EXPECT_EQ(host.v1("cpuacct")->mount_point, root_ + "/cpu,cpuacct");
  EXPECT_EQ(host.v1("pids"), nullptr);
  EXPECT_EQ(host.v1("memory")->own_path, "/m");
}

TEST(Weights, MapTheDefaults) {
  EXPECT_EQ(detail::weight_of_shares(2), 1U);
  EXPECT_EQ(detail::weight_of_shares(1024), 100U);
  EXPECT_EQ(detail::weight_of_shares(262144), 10000U);
  EXPECT_EQ(detail::io_weight_of(10), 1U);
  EXPECT_EQ(detail::io_weight_of(1000), 10000U);
}

}  // namespace
}  // namespace cgroup
