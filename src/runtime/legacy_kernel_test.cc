/// The tests of isolation and of the configuration's fields once more, on a kernel that pretends to be
/// old: a seccomp filter answers the newer system calls with ENOSYS, and this binary runs itself under it.

#include <array>
#include <cerrno>
#include <cstddef>
#include <string>
#include <vector>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "sys/file.h"

namespace {

constexpr std::array<unsigned, 9> kSince50{SYS_openat2,    SYS_open_tree, SYS_move_mount, SYS_fsopen,      SYS_fsconfig,
                                           SYS_fsmount,    SYS_clone3,    SYS_mount_setattr, SYS_close_range};

bool pretend_to_be_old() {
  std::vector<sock_filter> code;
  code.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
  for (const unsigned number : kSince50) {
    code.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1));
    code.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS));
  }
  code.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
  return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
}

TEST(LegacyKernel, IsolatesAllTheSame) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  // Not: what only new kernels have (detached roots, id-mapped mounts, a root that the container's user
  // can't reach by path), and the trees that the tests themselves make with the new calls.
  const std::string filter =
      "--gtest_filter=IsolationTest.*:FieldsTest.*"
      "-IsolationTest.TakesADetachedMountAsRoot:IsolationTest.AnIdMappedMount*:"
      "IsolationTest.AUserNamespaceMapsIdsAndStillHasDevicesAndMounts:"
      "FieldsTest.RecursiveOptionsReachTheMountsBelow:FieldsTest.PropagationOfMountsAndOfTheRoot";
  const sys::UniqueFd output = sys::make_memory_file().value();
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::dup2(output.get(), 1);
    ::dup2(output.get(), 2);
    if (!pretend_to_be_old()) ::_exit(98);
    ::execl("/proc/self/exe", "runtime_test", filter.c_str(), nullptr);
    ::_exit(99);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  std::string text(std::size_t{1} << 20U, '\0');
  text.resize(sys::read_at(output.get(), text, 0).value());
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << text;
  EXPECT_NE(text.find("[  PASSED  ]"), std::string::npos) << text;
}

}  // namespace
