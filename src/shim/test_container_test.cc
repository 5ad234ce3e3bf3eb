/// The kit of test_container.h, and a private mount namespace for all tests of this module.
#include <algorithm>
#include <csignal>
#include <cstdlib>

#include <sched.h>
#include <unistd.h>

#include "base/strings.h"
#include "cgroup/cgroup.h"
#include "shim/test_container.h"
#include "sys/file.h"
#include "sys/mount.h"
#include "sys/namespace.h"
#include "sys/node.h"
#include "sys/process.h"
#include "sys/socket.h"
#include "sys/stream_socket.h"

namespace shim {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 20s;

/// Of this run of the tests: containers' cgroups are below it.
std::string cgroup_parent() { return "/caisson-shim-test-" + std::to_string(::getpid()); }
/// One busybox for all containers: a program that was just written can't be run while some other
/// thread's child still has it open.
std::string busybox_copy() { return testing::TempDir() + "shim-busybox-" + std::to_string(::getpid()); }

class Surroundings final : public testing::Environment {
  void SetUp() override {
    if (::geteuid() != 0) return;
    ASSERT_TRUE(sys::unshare_namespaces(CLONE_NEWNS));
    ASSERT_TRUE(sys::change_mount_at("/", {.propagation = MS_PRIVATE}, true));
    const std::string busybox = sys::read_file(sys::kCwd, "/bin/busybox").value();
    ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, busybox_copy(), busybox, 0755));
  }
  void TearDown() override {
    if (::geteuid() != 0) return;
    EXPECT_TRUE(sys::unlink_at(sys::kCwd, busybox_copy()));
    const auto host = cgroup::Host::detect().value();
    const auto plan = cgroup::Cgroup::plan(host, cgroup_parent()).value();
    EXPECT_TRUE(cgroup::Cgroup::open(host, plan.directories()).value().remove());
  }
};
const auto* const kEnvironment = testing::AddGlobalTestEnvironment(new Surroundings);

}  // namespace

template <class Condition>
bool Record::wait(Condition condition) {
  std::unique_lock lock{mutex_};
  return changed_.wait_for(lock, kPatience, condition);
}

void Record::on_exited(const Exit& exit) {
  const std::lock_guard lock{mutex_};
  exit_ = exit;
  changed_.notify_all();
}
void Record::on_exec_exited(const std::string& exec, const Exit& exit) {
  const std::lock_guard lock{mutex_};
  exec_exits_[exec] = exit;
  changed_.notify_all();
}
void Record::on_oom() {
  const std::lock_guard lock{mutex_};
  oom_ = true;
  changed_.notify_all();
}
void Record::on_detached(const std::string& exec) {
  const std::lock_guard lock{mutex_};
  detached_.push_back(exec);
  changed_.notify_all();
}
void Record::on_probe_started(const std::string& /*exec*/) {
  const std::lock_guard lock{mutex_};
  health_told_.emplace_back("started");
}
void Record::on_probe_ended(const std::string& /*exec*/, int code) {
  const std::lock_guard lock{mutex_};
  health_told_.push_back("ended " + std::to_string(code));
}
void Record::on_health(const HealthReport& report) {
  const std::lock_guard lock{mutex_};
  health_told_.push_back(report.health.status + (report.changed ? "!" : ""));
  health_ = report.health;
  changed_.notify_all();
}
void Record::on_lost() {
  const std::lock_guard lock{mutex_};
  lost_ = true;
  changed_.notify_all();
}
void Record::reset() {
  const std::lock_guard lock{mutex_};
  exit_.reset();
  exec_exits_.clear();
  detached_.clear();
  health_told_.clear();
  health_.reset();
  oom_ = lost_ = false;
}
std::optional<Exit> Record::wait_exit() {
  return wait([&] { return exit_.has_value(); }) ? exit_ : std::nullopt;
}
std::optional<Exit> Record::wait_exec_exit(const std::string& exec) {
  if (!wait([&] { return exec_exits_.contains(exec); })) return std::nullopt;
  return exec_exits_.at(exec);
}
bool Record::wait_lost() {
  return wait([&] { return lost_; });
}
bool Record::wait_oom() {
  return wait([&] { return oom_; });
}
bool Record::wait_detached(const std::string& exec) {
  return wait([&] { return std::ranges::find(detached_, exec) != detached_.end(); });
}
std::optional<spec::api::Health> Record::wait_health(const std::string& status) {
  if (!wait([&] { return health_ && health_->status == status; })) return std::nullopt;
  const std::lock_guard lock{mutex_};
  return health_;
}
std::vector<std::string> Record::health_told() {
  const std::lock_guard lock{mutex_};
  return health_told_;
}

Daemon::Daemon(std::unique_ptr<Client> client) : client_{std::move(client)}, stop_{sys::make_eventfd().value()} {
  reactor_ = std::thread{[this] {
    std::array<sys::PollItem, 2> items{{{client_->fd(), POLLIN}, {stop_.get(), POLLIN}}};
    while (sys::wait_any(items, sys::kNoDeadline) && items[1].ready == 0) {
      if (!client_->on_readable()) return;
    }
  }};
}

Daemon::~Daemon() {
  const std::uint64_t one = 1;
  EXPECT_TRUE(sys::write_all(stop_.get(), {reinterpret_cast<const char*>(&one), sizeof one}));  // NOLINT
  reactor_.join();
}

Terminal::Terminal() {
  auto pair = sys::make_socket_pair(SOCK_STREAM).value();
  local_ = std::move(pair.first);
  remote = std::move(pair.second);
}

void Terminal::send(std::string_view bytes) const { EXPECT_TRUE(sys::write_all(local_.get(), bytes)); }
void Terminal::end_input() const { sys::shut_down(local_.get(), sys::Direction::Write); }

std::string Terminal::read_all() {
  std::array<char, 65536> buffer{};
  while (sys::poll_readable(local_.get(), kPatience)) {
    const auto count = sys::read_some(local_.get(), buffer);
    EXPECT_TRUE(count) << count.error().message();
    if (!count || *count == 0) return std::exchange(seen_, {});
    seen_.append(buffer.data(), *count);
  }
  ADD_FAILURE() << "the stream does not end; so far: " << seen_.substr(0, 2000);
  return seen_;
}

std::string Terminal::read_until(std::string_view text) {
  std::array<char, 65536> buffer{};
  while (seen_.find(text) == std::string::npos) {
    if (!sys::poll_readable(local_.get(), kPatience)) {
      ADD_FAILURE() << "no '" << text << "' in: " << seen_.substr(0, 2000);
      break;
    }
    const auto count = sys::read_some(local_.get(), buffer);
    if (!count || *count == 0) {
      ADD_FAILURE() << "the stream ended without '" << text << "': " << seen_.substr(0, 2000);
      break;
    }
    seen_.append(buffer.data(), *count);
  }
  const auto found = seen_.find(text);
  const std::size_t taken = found == std::string::npos ? seen_.size() : found + text.size();
  std::string out = seen_.substr(0, taken);
  seen_.erase(0, taken);
  return out;
}

std::pair<std::string, std::string> unframe(std::string_view frames) {
  std::pair<std::string, std::string> out;
  while (!frames.empty()) {
    if (frames.size() < 8) {
      ADD_FAILURE() << "a frame's header is cut off";
      break;
    }
    const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<std::uint8_t>(frames[i])); };
    const std::size_t length = (byte(4) << 24U) | (byte(5) << 16U) | (byte(6) << 8U) | byte(7);
    EXPECT_TRUE((byte(0) == 1 || byte(0) == 2) && byte(1) + byte(2) + byte(3) == 0);
    EXPECT_LE(length, frames.size() - 8);
    (byte(0) == 1 ? out.first : out.second).append(frames.substr(8, length));
    frames.remove_prefix(std::min(frames.size(), 8 + length));
  }
  return out;
}

TestContainer::TestContainer(std::string runtime) {
  std::string name = testing::TempDir() + "shim-XXXXXX";
  directory_ = ::mkdtemp(name.data());
  options.id = "caisson-test-" + directory_.substr(directory_.size() - 6);
  options.runtime = std::move(runtime);
  options.runtime_root = directory_ + "/state";
  options.rootfs = directory_ + "/root";
  options.log.path = directory_ + "/log/container.log";
  for (const char* path : {"/log", "/root/bin", "/root/proc", "/root/dev", "/root/tmp"}) {
    EXPECT_TRUE(sys::make_dirs(sys::kCwd, directory_ + path, 0755));
  }
  EXPECT_TRUE(sys::hard_link(sys::kCwd, busybox_copy(), sys::kCwd, directory_ + "/root/bin/busybox"));
  EXPECT_TRUE(sys::symlink_at("busybox", sys::kCwd, directory_ + "/root/bin/sh"));
}

TestContainer::~TestContainer() {
  // Whatever the test left running; the shim goes by itself.
  if (daemon) {
    if (daemon->operator->()->shutdown()) {
    } else {
      base::ignore(daemon->operator->()->signal({.signal = SIGKILL}), "it may have exited");
    }
    EXPECT_TRUE(record.wait_lost());
  }
  daemon.reset();
  base::ignore(sys::remove_tree(sys::kCwd, directory_), "a test's litter");
}

codec::Json TestContainer::config(const std::vector<std::string>& argv) const {
  using codec::Json;
  const auto space = [](const char* type) { return Json::object({{"type", type}}); };
  Json::Array args(argv.begin(), argv.end());
  Json namespaces = Json::array({space("mount"), space("ipc"), space("uts"), space("network")});
  if (!host_pids) namespaces.push(space("pid"));
  Json linux_section = Json::object({{"namespaces", namespaces}, {"cgroupsPath", cgroup_parent() + "/" + options.id}});
  if (!memory_limit.empty()) {
    const auto bytes = base::parse_int(memory_limit).value();
    linux_section.set("resources", Json::object({{"memory", Json::object({{"limit", bytes}, {"swap", bytes}})}}));
  }
  const auto mount = [](const char* target, const char* type, Json flags) {
    return Json::object({{"destination", target}, {"type", type}, {"source", type}, {"options", std::move(flags)}});
  };
  return Json::object(
      {{"ociVersion", "1.0.2"},
       {"process", Json::object({{"terminal", options.tty},
                                 {"user", Json::object({{"uid", user}, {"gid", user}})},
                                 {"args", std::move(args)},
                                 {"env", Json::array({"PATH=/bin", "TERM=xterm"})},
                                 {"cwd", "/"}})},
       {"root", Json::object({{"path", options.rootfs}})},
       {"hostname", "box"},
       {"mounts", Json::array({mount("/proc", "proc", Json::array({"nosuid"})),
                               mount("/dev", "tmpfs", Json::array({"nosuid", "mode=755", "size=65536k"})),
                               mount("/dev/pts", "devpts",
                                     Json::array({"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"}))})},
       {"linux", std::move(linux_section)}});
}

void TestContainer::launch_program(std::vector<std::string> argv) {
  const std::string program = sys::self_exe().value();
  Launch what;
  what.program = program.substr(0, program.rfind('/')) + "/caisson-shim";
  what.dir = run_dir();
  what.config = config(argv).dump();
  what.options = options;
  what.environment = environment;
  auto client = Client::launch(what, record);
  ASSERT_TRUE(client) << client.error().message();
  daemon.emplace(std::move(*client));
}

void TestContainer::launch(const std::string& script) { launch_program({"/bin/sh", "-c", script}); }

void TestContainer::run(const std::string& script) {
  launch(script);
  ASSERT_TRUE(daemon);
  const auto created = (*daemon)->wait_created();
  ASSERT_TRUE(created) << created.error().message();
  const auto started = (*daemon)->start();
  ASSERT_TRUE(started) << started.error().message();
}

void TestContainer::adopt() {
  auto client = Client::adopt(run_dir(), record);
  ASSERT_TRUE(client) << client.error().message();
  daemon.emplace(std::move(*client));
}

Exec TestContainer::make_exec(const std::string& id, const std::string& script, bool tty) const {
  Exec exec;
  exec.id = id;
  exec.process = config({"/bin/sh", "-c", script})["process"];
  exec.process.set("terminal", tty);
  return exec;
}

std::vector<logs::Entry> TestContainer::log() const {
  auto reader = logs::Reader::open(options.log, {}).value();
  std::vector<logs::Entry> out;
  logs::Entry entry;
  while (reader->next(entry, {}).value()) out.push_back(entry);
  return out;
}

std::string TestContainer::log_text(logs::Stream stream) const {
  std::string out;
  const auto entries = log();
  for (const auto& entry : entries) {
    if (entry.stream == stream) out += entry.line;
  }
  return out;
}

int TestContainer::shim_pid() const {
  const auto text = sys::read_file(sys::kCwd, run_dir() + "/shim.pid");
  return text ? static_cast<int>(base::parse_int(*text).value_or(0)) : 0;
}

}  // namespace shim
