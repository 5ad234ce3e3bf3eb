#include "runtime/detail/seccomp_cache.h"
#include "runtime/detail/seccomp_compile.h"

#include <cerrno>
#include <cstring>
#include <cstdlib>

#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/file.h"
#include "sys/namespace.h"

namespace runtime::detail {
namespace {

using spec::oci::Seccomp;

/// What the kernel would do, for the instructions that a filter has. Source: kernel
/// Documentation/networking/filter.rst.
std::uint32_t run(const SeccompProgram& program, const ::seccomp_data& data) {
  std::uint32_t a = 0;
  const auto* bytes = reinterpret_cast<const char*>(&data);
  for (std::size_t at = 0; at < program.code.size(); ++at) {
    const auto& one = program.code[at];
    switch (one.code) {
      case BPF_LD | BPF_W | BPF_ABS: std::memcpy(&a, bytes + one.k, sizeof a); break;
      case BPF_ALU | BPF_AND | BPF_K: a &= one.k; break;
      case BPF_JMP | BPF_JA: at += one.k; break;
      case BPF_JMP | BPF_JEQ | BPF_K: at += a == one.k ? one.jt : one.jf; break;
      case BPF_JMP | BPF_JGE | BPF_K: at += a >= one.k ? one.jt : one.jf; break;
      case BPF_JMP | BPF_JGT | BPF_K: at += a > one.k ? one.jt : one.jf; break;
      case BPF_RET | BPF_K: return one.k;
      default: ADD_FAILURE() << "instruction " << one.code; return 0;
    }
  }
  ADD_FAILURE() << "ran off the end";
  return 0;
}

std::uint32_t ask(const SeccompProgram& program, std::uint32_t arch, std::uint32_t nr,
                  std::initializer_list<std::uint64_t> args = {}) {
  ::seccomp_data data{};
  data.nr = static_cast<int>(nr);
  data.arch = arch;
  std::size_t i = 0;
  for (const auto arg : args) data.args[i++] = arg;
  return run(program, data);
}

constexpr std::uint32_t kEperm = SECCOMP_RET_ERRNO | EPERM;
constexpr std::uint32_t kEnosys = SECCOMP_RET_ERRNO | ENOSYS;

Seccomp deny_all_but(std::vector<std::string> names) {
  Seccomp section;
  section.default_action = "SCMP_ACT_ERRNO";
  section.architectures = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86"};
  section.syscalls.push_back({std::move(names), "SCMP_ACT_ALLOW", {}, {}});
  return section;
}

TEST(SeccompCompile, AllowsWhatIsNamedOnEachArchitecture) {
  const auto program = compile_seccomp(deny_all_but({"read", "openat2", "socketcall", "no_such_call"})).value();
  EXPECT_EQ(ask(program, AUDIT_ARCH_X86_64, 0), SECCOMP_RET_ALLOW);
  EXPECT_EQ(ask(program, AUDIT_ARCH_X86_64, 1), kEperm);
  EXPECT_EQ(ask(program, AUDIT_ARCH_X86_64, 437), SECCOMP_RET_ALLOW);
  EXPECT_EQ(ask(program, AUDIT_ARCH_I386, 3), SECCOMP_RET_ALLOW);
  EXPECT_EQ(ask(program, AUDIT_ARCH_I386, 0), kEperm);
  EXPECT_EQ(ask(program, AUDIT_ARCH_I386, 102), SECCOMP_RET_ALLOW);
}

TEST(SeccompCompile, NumbersNewerThanTheProfileAreMissingNotForbidden) {
  const auto program = compile_seccomp(deny_all_but({"read", "openat2"})).value();
  EXPECT_EQ(ask(program, AUDIT_ARCH_X86_64, 436), kEperm);
  EXPECT_EQ(ask(program, AUDIT_ARCH_X86_64, 438), kEnosys);
  EXPECT_EQ(ask(program, AUDIT_ARCH_X86_64, 0x3fffffff), kEnosys);
  // What a tracer leaves behind is no system call at all.
  EXPECT_EQ(ask(program, AUDIT_ARCH_X86_64, 0xffffffff), kEperm);
  auto lenient = deny_all_but({"read"});
  lenient.default_action = "SCMP_ACT_LOG";
  EXPECT_EQ(ask(compile_seccomp(lenient).value(), AUDIT_ARCH_X86_64, 438), SECCOMP_RET_LOG);
}

TEST(SeccompCompile, UnlistedArchitecturesAreKilled) {
  const auto program = compile_seccomp(deny_all_but({"read"})).value();
  EXPECT_EQ(ask(program, AUDIT_ARCH_AARCH64, 63), SECCOMP_RET_KILL_THREAD);
  EXPECT_EQ(ask(program, AUDIT_ARCH_X86_64, 0x40000000), SECCOMP_RET_KILL_THREAD);
  auto with_x32 = deny_all_but({"read"});
  with_x32.architectures.emplace_back("SCMP_ARCH_X32");
  const auto three = compile_seccomp(with_x32).value();
  EXPECT_EQ(ask(three, AUDIT_ARCH_X86_64, 0x40000000), SECCOMP_RET_ALLOW);
  EXPECT_EQ(ask(three, AUDIT_ARCH_X86_64, 0x40000001), kEnosys);
}

TEST(SeccompCompile, ComparesWholeArguments) {
  struct Case {
    const char* op;
    std::uint64_t value;
    std::uint64_t second;
    std::vector<std::uint64_t> yes;
    std::vector<std::uint64_t> no;
  };
  constexpr std::uint64_t kBig = 0x0000'0002'0000'0005;
  const std::vector<Case> cases{
      {"SCMP_CMP_EQ", kBig, 0, {kBig}, {5, kBig + 1, kBig + (1ULL << 32U)}},
      {"SCMP_CMP_NE", kBig, 0, {5, kBig + 1, kBig + (1ULL << 32U)}, {kBig}},
      {"SCMP_CMP_GT", kBig, 0, {kBig + 1, 0x3'0000'0000}, {kBig, kBig - 1, 0x1'ffff'ffff, 6}},
      {"SCMP_CMP_GE", kBig, 0, {kBig, kBig + 1, 0x3'0000'0000}, {kBig - 1, 0x1'ffff'ffff, 6}},
      {"SCMP_CMP_LT", kBig, 0, {kBig - 1, 0x1'ffff'ffff, 6}, {kBig, kBig + 1, 0x3'0000'0000}},
      {"SCMP_CMP_LE", kBig, 0, {kBig, kBig - 1, 0x1'ffff'ffff, 6}, {kBig + 1, 0x3'0000'0000}},
      {"SCMP_CMP_MASKED_EQ", 0xf0000000f, 0x100000002, {0x100000002, 0x1000000f2}, {2, 0x100000003}},
  };
  for (const auto& one : cases) {
    auto section = deny_all_but({"read"});
    section.syscalls.push_back({{"write"}, "SCMP_ACT_ALLOW", {}, {{2, one.value, one.second, one.op}}});
    const auto program = compile_seccomp(section).value();
    for (const auto arg : one.yes) {
      EXPECT_EQ(ask(program, AUDIT_ARCH_X86_64, 1, {0, 0, arg}), SECCOMP_RET_ALLOW) << one.op << ' ' << arg;
    }
    for (const auto arg : one.no) {
      EXPECT_EQ(ask(program, AUDIT_ARCH_X86_64, 1, {0, 0, arg}), kEperm) << one.op << ' ' << arg;
    }
  }
}

TEST(SeccompCompile, ConditionsAreAndedAlternativesOred) {
  auto section = deny_all_but({"read"});
  section.syscalls.push_back(
      {{"write"}, "SCMP_ACT_ALLOW", {}, {{0, 1, 0, "SCMP_CMP_EQ"}, {2, 5, 0, "SCMP_CMP_GT"}}});
  section.syscalls.push_back({{"write"}, "SCMP_ACT_ERRNO", 99, {{0, 2, 0, "SCMP_CMP_EQ"}}});
  // Two conditions on one argument are two rules.
  section.syscalls.push_back(
      {{"close"}, "SCMP_ACT_ALLOW", {}, {{0, 7, 0, "SCMP_CMP_EQ"}, {0, 8, 0, "SCMP_CMP_EQ"}}});
  const auto program = compile_seccomp(section).value();
  EXPECT_EQ(ask(program, AUDIT_ARCH_X86_64, 1, {1, 0, 6}), SECCOMP_RET_ALLOW);
  EXPECT_EQ(ask(program, AUDIT_ARCH_X86_64, 1, {1, 0, 5}), kEperm);
  EXPECT_EQ(ask(program, AUDIT_ARCH_X86_64, 1, {2, 0, 9}), SECCOMP_RET_ERRNO | 99);
  EXPECT_EQ(ask(program, AUDIT_ARCH_X86_64, 3, {7}), SECCOMP_RET_ALLOW);
  EXPECT_EQ(ask(program, AUDIT_ARCH_X86_64, 3, {8}), SECCOMP_RET_ALLOW);
  EXPECT_EQ(ask(program, AUDIT_ARCH_X86_64, 3, {9}), kEperm);
  section.syscalls.push_back({{"write"}, "SCMP_ACT_ALLOW", {}, {}});
  EXPECT_EQ(ask(compile_seccomp(section).value(), AUDIT_ARCH_X86_64, 1, {2, 0, 9}), SECCOMP_RET_ALLOW);
}

TEST(SeccompCompile, CoversMultiplexedCallsOfI386) {
  const auto program = compile_seccomp(deny_all_but({"socket", "shmat"})).value();
  EXPECT_EQ(ask(program, AUDIT_ARCH_I386, 102, {1}), SECCOMP_RET_ALLOW);
  EXPECT_EQ(ask(program, AUDIT_ARCH_I386, 102, {2}), kEperm);
  EXPECT_EQ(ask(program, AUDIT_ARCH_I386, 117, {21}), SECCOMP_RET_ALLOW);
  // The upper half of ipc's first argument is a version.
  EXPECT_EQ(ask(program, AUDIT_ARCH_I386, 117, {1}), kEperm);
}

TEST(SeccompCompile, RefusesWhatItDoesNotKnow) {
  auto section = deny_all_but({"read"});
  section.default_action = "SCMP_ACT_MAYBE";
  EXPECT_TRUE(compile_seccomp(section).failed_as(base::ErrorKind::InvalidArgument));
  section = deny_all_but({"read"});
  section.architectures = {"SCMP_ARCH_VAX"};
  EXPECT_TRUE(compile_seccomp(section).failed_as(base::ErrorKind::InvalidArgument));
  section = deny_all_but({"read"});
  section.syscalls[0].args.push_back({6, 0, 0, "SCMP_CMP_EQ"});
  EXPECT_TRUE(compile_seccomp(section).failed_as(base::ErrorKind::InvalidArgument));
  section = deny_all_but({"read"});
  section.flags = {"SECCOMP_FILTER_FLAG_MAGIC"};
  EXPECT_TRUE(compile_seccomp(section).failed_as(base::ErrorKind::InvalidArgument));
}

/// Every number of every architecture against libseccomp's own names.
TEST(SeccompCompile, AgreesWithLibseccompOnEveryNumber) {
  Seccomp section;
  section.default_action = "SCMP_ACT_ERRNO";
  section.default_errno_ret = ENOSYS;
  section.architectures = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"};
  std::vector<std::string> names;
  for (int nr = 0; nr < 500; nr += 3) {
    for (const std::uint32_t arch : std::initializer_list<std::uint32_t>{SCMP_ARCH_X86_64, SCMP_ARCH_X86}) {
      char* name = ::seccomp_syscall_resolve_num_arch(arch, nr);
      const std::string text = name == nullptr ? "" : name;
      std::free(name);
      // The multiplexers would let single calls of theirs through.
      if (!text.empty() && text != "ipc" && text != "socketcall") names.push_back(text);
    }
  }
  section.syscalls.push_back({names, "SCMP_ACT_ALLOW", {}, {}});
  const auto program = compile_seccomp(section).value();
  const auto allowed = [&](std::uint32_t token, std::uint32_t nr) {
    for (const auto& name : names) {
      if (::seccomp_syscall_resolve_name_arch(token, name.c_str()) == static_cast<int>(nr)) return true;
    }
    return false;
  };
  for (std::uint32_t nr = 0; nr < 600; ++nr) {
    EXPECT_EQ(ask(program, AUDIT_ARCH_X86_64, nr) == SECCOMP_RET_ALLOW, allowed(SCMP_ARCH_X86_64, nr)) << nr;
    if (nr != 102 && nr != 117) {
      EXPECT_EQ(ask(program, AUDIT_ARCH_I386, nr) == SECCOMP_RET_ALLOW, allowed(SCMP_ARCH_X86, nr)) << nr;
    }
    EXPECT_EQ(ask(program, AUDIT_ARCH_X86_64, nr | 0x40000000U) == SECCOMP_RET_ALLOW,
              allowed(SCMP_ARCH_X32, nr | 0x40000000U))
        << nr;
  }
}

TEST(SeccompCompile, TheKernelTakesItAndObeys) {
  Seccomp section;
  section.default_action = "SCMP_ACT_ALLOW";
  section.syscalls.push_back({{"getppid"}, "SCMP_ACT_ERRNO", 42, {}});
  section.syscalls.push_back({{"dup"}, "SCMP_ACT_ERRNO", 43, {{0, 1000, 0, "SCMP_CMP_GE"}}});
  const auto program = compile_seccomp(section).value();
  const auto child = sys::clone_process({}).value();
  if (!child.valid()) {
    ::sock_fprog filter{static_cast<unsigned short>(program.code.size()),
                        const_cast<::sock_filter*>(program.code.data())};
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, program.flags, &filter) != 0) ::_exit(1);
    if (::syscall(SYS_getppid) != -1 || errno != 42) ::_exit(2);
    if (::syscall(SYS_dup, 1000) != -1 || errno != 43) ::_exit(3);
    if (::syscall(SYS_dup, 0) < 0) ::_exit(4);
    ::_exit(0);
  }
  EXPECT_EQ(child.wait()->shell_code(), 0);
}

class SeccompCacheTest : public testing::Test {
 protected:
  SeccompCacheTest() {
    std::string name = testing::TempDir() + "/caisson-seccomp-XXXXXX";
    root_ = ::mkdtemp(name.data());
  }
  ~SeccompCacheTest() override { EXPECT_TRUE(sys::remove_tree(sys::kCwd, root_)); }
  std::string root_;
};

TEST_F(SeccompCacheTest, GivesTheSameProgramAgain) {
  const std::string directory = root_ + "/.cache/seccomp";
  const auto first = cached_seccomp(directory, deny_all_but({"read"})).value();
  ASSERT_FALSE(first.file.empty());
  const auto before = sys::stat_at(sys::kCwd, first.file)->st_ino;
  const auto second = cached_seccomp(directory, deny_all_but({"read"})).value();
  EXPECT_EQ(second.program.code.size(), first.program.code.size());
  EXPECT_EQ(second.program.flags, first.program.flags);
  EXPECT_EQ(sys::stat_at(sys::kCwd, second.file)->st_ino, before);
  EXPECT_NE(cached_seccomp(directory, deny_all_but({"write"}))->file, first.file);
  EXPECT_EQ(sys::stat_at(sys::kCwd, directory)->st_mode & 0777U, 0700U);
}

TEST_F(SeccompCacheTest, DistrustsWhatIsNotWhole) {
  const auto good = cached_seccomp(root_, deny_all_but({"read"})).value();
  const std::string other = cached_seccomp(root_, deny_all_but({"write"}))->file;
  const std::string text = sys::read_file(sys::kCwd, good.file).value();
  std::string flipped = text;
  flipped[flipped.size() - 2] ^= 1;
  const std::string foreign = sys::read_file(sys::kCwd, other).value();
  for (const auto& bad : {std::string{}, text.substr(0, text.size() / 2), flipped, foreign}) {
    ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, good.file, bad, 0600));
    const auto again = cached_seccomp(root_, deny_all_but({"read"})).value();
    EXPECT_EQ(ask(again.program, AUDIT_ARCH_X86_64, 0), SECCOMP_RET_ALLOW);
    EXPECT_EQ(sys::read_file(sys::kCwd, good.file).value(), text);
  }
}

TEST_F(SeccompCacheTest, WorksWithoutAPlaceToCache) {
  const auto program = cached_seccomp("/proc/nowhere", deny_all_but({"read"}));
  ASSERT_TRUE(program);
  EXPECT_TRUE(program->file.empty());
  ASSERT_TRUE(write_seccomp(root_ + "/f", program->program));
  EXPECT_EQ(read_seccomp(root_ + "/f")->code.size(), program->program.code.size());
  ASSERT_TRUE(sys::write_file_atomic(sys::kCwd, root_ + "/f", "x", 0600));
  EXPECT_FALSE(read_seccomp(root_ + "/f"));
}

}  // namespace
}  // namespace runtime::detail
