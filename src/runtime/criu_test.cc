// CRIU's protocol and what becomes of a container when CRIU fails. A scripted CRIU stands in for the real
// one: this program itself, started again (see act_as_criu). The real one is driven in tests/vm.

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string_view>

#include <linux/sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "runtime/checkpoint.h"
#include "runtime/detail/criu_mounts.h"
#include "runtime/detail/criu_session.h"
#include "runtime/detail/image_manifest.h"
#include "runtime/test_bundle.h"

namespace {

using Bytes = std::string_view;
using namespace std::string_literals;
using namespace std::string_view_literals;

constexpr int kSocket = 3;
constexpr Bytes kVersion3171 = "\x08\x0a\x10\x01\x52\x06\x08\x03\x10\x11\x20\x01"sv;
constexpr Bytes kVersion311 = "\x08\x0a\x10\x01\x52\x04\x08\x03\x10\x0b"sv;
constexpr Bytes kSetupNamespaces = "\x08\x06\x10\x01\x2a\x14\x0a\x10setup-namespaces\x10\x07"sv;
constexpr Bytes kRestored = "\x08\x02\x10\x01\x22\x02\x08\x07"sv;
constexpr Bytes kRefusedDump = "\x08\x01\x10\x00\x38\x01"sv;  // cr_errno: EPERM

void say(Bytes packet) { ::send(kSocket, packet.data(), packet.size(), MSG_NOSIGNAL); }
/// False when the other side has gone.
bool hear(std::array<char, 8192>& packet, std::size_t& length) {
  const auto count = ::recv(kSocket, packet.data(), packet.size(), 0);
  length = count > 0 ? static_cast<std::size_t>(count) : 0;
  return count > 0;
}

/// A process beside this one, as CRIU makes init: a child of our parent.
void make_sibling() {
  ::clone_args wanted{};
  wanted.flags = CLONE_PARENT;
  if (::syscall(SYS_clone3, &wanted, sizeof wanted) == 0) {
    while (true) ::pause();
  }
}

void freeze(const char* file) {
  const int fd = ::open(file, O_WRONLY | O_CLOEXEC);
  const bool v1 = std::string_view{file}.ends_with("freezer.state");
  if (::write(fd, v1 ? "FROZEN" : "1", v1 ? 6 : 1) < 0) std::abort();
}

void play(std::string_view role) {
  std::array<char, 8192> packet{};
  std::size_t length = 0;
  if (role == "silent" || !hear(packet, length)) return;
  if (role == "garbage") return say("\x08\x0a\x52\xff\xff\xff\xff\x0f"sv);
  if (role == "wrong-types") return say("\x0a\x01x\x12\x01y\x50\x05"sv);
  if (role == "old") return say(kVersion311);
  say(kVersion3171);
  if (!hear(packet, length)) return;
  if (role == "refuses") return say(kRefusedDump);
  if (role == "wrong-type") return say(kVersion3171);
  if (role == "freezes") return freeze(std::getenv("CAISSON_FAKE_FREEZER"));  // and dies
  if (role == "sibling") return make_sibling();                               // and dies
  if (role == "notifies") {
    say(kSetupNamespaces);
    if (!hear(packet, length)) return;
    // notify_success
    if (Bytes{packet.data(), length} == "\x08\x06\x18\x01"sv) say(kRestored);
  }
}

__attribute__((constructor)) void act_as_criu() {
  const char* role = std::getenv("CAISSON_FAKE_CRIU");
  if (role == nullptr || std::string_view{program_invocation_name} != "criu") return;
  play(role);
  ::_exit(0);
}

constexpr const char* kFake = "/proc/self/exe";

class Role {
 public:
  explicit Role(const char* role) { ::setenv("CAISSON_FAKE_CRIU", role, 1); }
  ~Role() { ::unsetenv("CAISSON_FAKE_CRIU"); }
};

}  // namespace

namespace runtime {

using detail::criu::Event;
using detail::criu::RequestType;
using detail::criu::Session;

namespace {

base::Result<detail::criu::Response> perform(RequestType type, const std::string& log = "/nonexistent") {
  auto session = TRY(Session::start(kFake, {{0, 0}}));
  detail::criu::Request request;
  request.type = type;
  request.opts.emplace();
  return session.perform(request, log, [](const Event&) -> base::Result<> { return {}; });
}

}  // namespace

TEST(CriuRpc, EncodesOptionsByTheirNumbers) {
  detail::criu::Request request;
  request.type = RequestType::Dump;
  auto& opts = request.opts.emplace();
  opts.images_dir_fd = 5;
  opts.pid = 300;
  opts.leave_running = true;
  opts.log_file = "dump.log";
  opts.ext_mnt = {{"/a", "/b"}};
  opts.inherit_fd = {{"pipe:[1]", 4}};
  opts.manage_cgroups_mode = detail::criu::CgroupManagement::Ignore;
  opts.empty_ns = 0x40000000;
  opts.page_server_address = "::1";
  opts.page_server_port = 27;
  opts.lsm_profile = "apparmor:x";
  const std::string wanted =
      "\x08\x01\x12\x4d"
      "\x08\x05\x10\xac\x02\x48\x04\x52\x08" "dump.log" "\xaa\x03\x0a" "apparmor:x"
      "\xb0\x02\x80\x80\x80\x80\x04\x90\x02"s + '\0' + "\x18\x01"
      "\xba\x01\x08\x0a\x02/a\x12\x02/b"
      "\xda\x01\x0c\x0a\x08pipe:[1]\x10\x04"
      "\x5a\x07\x0a\x03::1\x10\x1b";
  EXPECT_EQ(encode(request), wanted);
}

TEST(CriuRpc, DecodesWhatItKnowsAndPassesOverTheRest) {
  const auto response = detail::criu::decode("\x08\x01\x10\x01\x38\x0d\x4a\x04oops\xa2\x06\x02hi\x42\x04\x08\x01\x10\x00"sv);
  ASSERT_SAID(response);
  EXPECT_TRUE(response->success);
  EXPECT_EQ(response->cr_errno, EACCES);
  EXPECT_EQ(response->cr_errmsg, "oops");
  ASSERT_TRUE(response->features);
  EXPECT_TRUE(response->features->mem_track);
  EXPECT_FALSE(response->features->lazy_pages);
  EXPECT_TRUE(detail::criu::decode("\x08").failed_as(base::ErrorKind::InvalidArgument));
}

TEST(CriuRpc, FindsTheErrorsOfALog) {
  EXPECT_EQ(detail::criu::errors_in_log("(00.1) mnt: fine\n"
                                        "(00.2) Error (criu/a.c:1): mnt: first\n"
                                        "(00.2)      1: Error (criu/b.c:22): second: No such file\n"
                                        "(00.3) Error (criu/c.c:3): Dumping FAILED.\n"),
            "mnt: first; second: No such file");
  EXPECT_EQ(detail::criu::errors_in_log(""), "");
}

TEST(CriuMounts, ReadsMountinfo) {
  const auto mounts = detail::criu::parse_mountinfo(
      "29 1 0:26 / / rw,relatime - overlay overlay rw\n"
      "short\n"
      "31 29 0:5 /null /a\\040b rw,nosuid master:2 - devtmpfs udev rw\n");
  ASSERT_EQ(mounts.size(), 2);
  EXPECT_EQ(mounts[1].id, 31);
  EXPECT_EQ(mounts[1].root, "/null");
  EXPECT_EQ(mounts[1].place, "/a b");
  EXPECT_EQ(mounts[1].type, "devtmpfs");
}

TEST(CriuSession, SaysWhatIsMissing) {
  const auto absent = Session::start("no-such-criu", {});
  ASSERT_TRUE(absent.failed_as(base::ErrorKind::NotImplemented));
  EXPECT_NE(absent.error().message().find("no-such-criu is not installed"), std::string::npos);
  const Role role{"old"};
  const auto old = Session::start(kFake, {{0, 0}});
  ASSERT_TRUE(old.failed_as(base::ErrorKind::NotImplemented));
  EXPECT_NE(old.error().message().find("CRIU 3.11.0 is too old"), std::string::npos);
}

TEST(CriuSession, SurvivesNonsense) {
  for (const char* what : {"silent", "garbage", "wrong-types"}) {
    const Role role{what};
    EXPECT_FALSE(Session::start(kFake, {{0, 0}})) << what;
  }
  for (const char* what : {"dies", "wrong-type"}) {
    const Role role{what};
    EXPECT_TRUE(perform(RequestType::Dump).failed_as(base::ErrorKind::Internal)) << what;
  }
}

TEST(CriuSession, QuotesTheLog) {
  const Role role{"refuses"};
  const std::string log = testing::TempDir() + "/criu-" + base::random_hex(8) + ".log";
  ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, log, "(00.1) Error (criu/tty.c:1): tty: no peer\n"));
  const auto done = perform(RequestType::Dump, log);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message(),
            "criu dump failed: Operation not permitted: tty: no peer (log file: " + log + ")");
  EXPECT_TRUE(sys::unlink_at(sys::kCwd, log));
}

TEST(CriuSession, AnswersEvents) {
  const Role role{"notifies"};
  auto session = Session::start(kFake, {{0, 0}});
  ASSERT_SAID(session);
  EXPECT_EQ(session->version().number(), 31701);
  detail::criu::Request request;
  request.type = RequestType::Restore;
  std::string script;
  const auto done = session->perform(request, "/nonexistent", [&](const Event& event) -> base::Result<> {
    script = event.notification.script;
    EXPECT_EQ(event.notification.pid, 7);
    return {};
  });
  ASSERT_SAID(done);
  EXPECT_EQ(script, "setup-namespaces");
  EXPECT_EQ(done->restored_pid, 7);

  auto second = Session::start(kFake, {{0, 0}});
  ASSERT_SAID(second);
  const auto aborted = second->perform(request, "/nonexistent", [](const Event&) -> base::Result<> {
    return base::conflict("the hook said no");
  });
  EXPECT_TRUE(aborted.failed_as(base::ErrorKind::Conflict));
}

TEST(CriuSession, TheRealOneTellsItsVersion) {
  if (!detail::criu::find_criu("criu")) GTEST_SKIP() << "needs criu";
  const auto session = Session::start("criu", {{0, 0}});
  ASSERT_SAID(session);
  EXPECT_GE(session->version().number(), 31500);
}

class CheckpointTest : public BundleTest {
 protected:
  [[nodiscard]] std::string images() const { return root_ + "/images"; }
  [[nodiscard]] CheckpointOptions dump_options() const {
    CheckpointOptions out;
    out.criu = kFake;
    out.image_path = images();
    return out;
  }
  [[nodiscard]] RestoreOptions restore_options() const {
    RestoreOptions out;
    out.criu = kFake;
    out.image_path = images();
    out.container = options();
    return out;
  }
  void pretend_checkpoint() const {
    ASSERT_TRUE(sys::make_dir(sys::kCwd, images(), 0700));
    ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, images() + "/inventory.img", ""));
    ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, images() + "/descriptors.json", R"(["pipe:[1]","/dev/null",""])"));
  }
};

TEST_F(CheckpointTest, AFailureLeavesTheContainerAlone) {
  auto container = sleeping();
  for (const char* what : {"refuses", "dies", "silent", "garbage"}) {
    const Role role{what};
    EXPECT_FALSE(container.checkpoint(dump_options())) << what;
    EXPECT_EQ(container.state().status, Status::Running) << what;
  }
  EXPECT_TRUE(exec(container, "true"));
}

TEST_F(CheckpointTest, WhatADyingCriuHasFrozenIsThawed) {
  auto container = sleeping();
  auto* group = container.cgroup().value();
  const std::string v1 = group->directory_of("freezer");
  const std::string file = v1.empty() ? group->directory_of("") + "/cgroup.freeze" : v1 + "/freezer.state";
  ::setenv("CAISSON_FAKE_FREEZER", file.c_str(), 1);
  const Role role{"freezes"};
  EXPECT_FALSE(container.checkpoint(dump_options()));
  EXPECT_FALSE(group->frozen().value());
  EXPECT_EQ(container.state().status, Status::Running);
  ASSERT_TRUE(container.pause());
  EXPECT_FALSE(container.checkpoint(dump_options()));
  EXPECT_EQ(container.state().status, Status::Paused) << "it was paused before";
  ::unsetenv("CAISSON_FAKE_FREEZER");
}

TEST_F(CheckpointTest, OnlyWhatRunsCanBeSaved) {
  auto created = Container::create(spec("true"), options());
  ASSERT_SAID(created);
  const auto refused = created->checkpoint(dump_options());
  ASSERT_TRUE(refused.failed_as(base::ErrorKind::Conflict));
  EXPECT_EQ(refused.error().message(), "Container cannot be checkpointed in created state");
}

TEST_F(CheckpointTest, NotesPipesAndBindMounts) {
  auto wanted = spec("sleep 1000");
  wanted.mounts.push_back({"/tmp", "bind", root_, {"bind"}, {}, {}});
  CreateOptions with = options();
  Pipes ends = pipes();
  with.stdio = stdio(ends);
  with.start_at_once = true;
  const auto container = Container::create(wanted, std::move(with));
  ASSERT_SAID(container);
  EXPECT_EQ(container->state().binds, std::vector<std::string>{"/tmp"});
  const auto& descriptors = container->state().descriptors;
  ASSERT_EQ(descriptors.size(), 3);
  EXPECT_EQ(descriptors[0], "/dev/null");
  EXPECT_TRUE(descriptors[1].starts_with("pipe:["));

  const auto mounts = detail::criu::mounts_to_dump(container->pid(), container->state().binds);
  ASSERT_SAID(mounts);
  const auto name_of = [&](std::string_view place) -> std::string {
    for (const auto& one : *mounts) {
      if (one.key == place) return one.value;
    }
    return "(none)";
  };
  EXPECT_EQ(name_of("/tmp"), "/tmp");
  EXPECT_EQ(name_of("/proc/keys"), "/dev/null");
  EXPECT_EQ(name_of("/proc"), "(none)");
  EXPECT_EQ(name_of("/sys/firmware"), "(none)") << "a masked directory is a tmpfs";
}

TEST_F(CheckpointTest, AFailedRestoreLeavesNothing) {
  EXPECT_TRUE(Container::restore(spec("true"), restore_options()).failed_as(base::ErrorKind::NotFound));
  expect_nothing_left();
  pretend_checkpoint();
  for (const char* what : {"silent", "garbage", "old", "dies", "refuses", "wrong-type", "sibling", "notifies"}) {
    const Role role{what};
    EXPECT_FALSE(Container::restore(spec("true"), restore_options())) << what;
    expect_nothing_left();
  }
  auto absent = restore_options();
  absent.criu = "no-such-criu";
  EXPECT_TRUE(Container::restore(spec("true"), std::move(absent)).failed_as(base::ErrorKind::NotImplemented));
  expect_nothing_left();
}

TEST_F(CheckpointTest, ADamagedCheckpointIsNotGivenToCriu) {
  pretend_checkpoint();
  ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, images() + "/pages-1.img", "0123456789"));
  const sys::UniqueFd opened = sys::open_dir(sys::kCwd, images()).value();
  ASSERT_TRUE(detail::criu::write_manifest(opened.get()));
  EXPECT_TRUE(detail::criu::check_manifest(opened.get()));
  ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, images() + "/pages-1.img", "0123"));
  const Role role{"notifies"};
  const auto shorter = Container::restore(spec("true"), restore_options());
  ASSERT_TRUE(shorter.failed_as(base::ErrorKind::InvalidArgument));
  EXPECT_NE(shorter.error().message().find("pages-1.img has 4 bytes, not 10"), std::string::npos);
  ASSERT_TRUE(sys::unlink_at(sys::kCwd, images() + "/pages-1.img"));
  const auto missing = Container::restore(spec("true"), restore_options());
  ASSERT_TRUE(missing.failed_as(base::ErrorKind::InvalidArgument));
  EXPECT_NE(missing.error().message().find("pages-1.img is missing"), std::string::npos);
  expect_nothing_left();
}

TEST_F(CheckpointTest, ARestoreNeedsAFreeId) {
  const auto container = sleeping();
  pretend_checkpoint();
  const auto restored = Container::restore(spec("true"), restore_options());
  ASSERT_TRUE(restored.failed_as(base::ErrorKind::Conflict));
  EXPECT_EQ(container.state().status, Status::Running);
}

}  // namespace runtime
