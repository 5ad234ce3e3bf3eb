#include "sys/syscall_script.h"

#include <cstring>

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/file.h"
#include "sys/namespace.h"
#include "sys/process.h"
#include "sys/socket.h"

namespace sys {
namespace {

struct Outcome {
  std::vector<ScriptReport> reports;
  ExitStatus status;
  std::string output;
};

/// Runs the script that `write` fills in a forked child, with its output caught.
template <class F>
Outcome run_script(F write) {
  auto report = make_socket_pair(SOCK_SEQPACKET).value();
  auto output = make_pipe().value();
  Process child = clone_process({}).value();
  if (!child.valid()) {
    ::dup2(output.write.get(), 1);
    SyscallScript script;
    write(script);
    base::ignore(set_cloexec(report.second.get(), false), "checked by what arrives");
    const auto error = script.run(report.second.get());
    ::dprintf(1, "%s", error.message().c_str());
    ::_exit(99);
  }
  report.second.reset();
  output.write.reset();
  Outcome outcome;
  while (true) {
    const auto message = receive_message(report.first.get(), 4096).value();
    if (!message) break;
    ScriptReport one{};
    EXPECT_EQ(message->bytes.size(), sizeof one);
    std::memcpy(&one, message->bytes.data(), sizeof one);
    EXPECT_EQ(one.mark, ScriptReport::kMark);
    outcome.reports.push_back(one);
  }
  outcome.output = read_to_end(output.read.get()).value();
  outcome.status = child.wait().value();
  return outcome;
}

void exec_shell(SyscallScript& script, const std::string& command) {
  const auto path = script.text("/bin/sh");
  const auto argv = script.texts({"sh", "-c", command});
  const auto env = script.texts({"A=b"});
  script.call(7, SYS_execve, {path, argv, env});
}

TEST(SyscallScript, RunsItsCallsThenTheProgram) {
  const auto outcome = run_script([](SyscallScript& script) {
    script.call(1, SYS_umask, {027});
    script.call(2, SYS_chdir, {script.text("/proc")});
    exec_shell(script, "umask; pwd; echo $A");
  });
  EXPECT_EQ(outcome.output, "0027\n/proc\nb\n");
  EXPECT_EQ(outcome.status.shell_code(), 0);
  // The socket was not closed on exec here, as the script did not ask for it: nothing was reported.
  EXPECT_TRUE(outcome.reports.empty());
}

TEST(SyscallScript, AFailedStepIsReportedAndEndsIt) {
  const auto outcome = run_script([](SyscallScript& script) {
    script.call(1, SYS_chdir, {script.text("/nowhere")}, SyscallScript::kIgnoreFailure);
    script.call(2, SYS_chdir, {script.text("/nowhere")});
    exec_shell(script, "echo no");
  });
  ASSERT_EQ(outcome.reports.size(), 1U);
  EXPECT_EQ(outcome.reports[0].step, 2U);
  EXPECT_EQ(outcome.reports[0].result, -ENOENT);
  EXPECT_EQ(outcome.status.shell_code(), 1);
  EXPECT_EQ(outcome.output, "");
}

TEST(SyscallScript, PassesAResultOnAndReportsIt) {
  const auto outcome = run_script([](SyscallScript& script) {
    script.call(1, SYS_openat, {static_cast<std::uint64_t>(AT_FDCWD), script.text("/dev/null"), O_RDONLY},
                SyscallScript::kReportResult);
    script.call(2, SYS_dup3, {0, 9, 0}, SyscallScript::kFirstIsLastResult);
    exec_shell(script, "readlink /proc/self/fd/9");
  });
  EXPECT_EQ(outcome.output, "/dev/null\n");
  ASSERT_EQ(outcome.reports.size(), 1U);
  EXPECT_GE(outcome.reports[0].result, 3);
}

TEST(SyscallScript, AForkGoesOnInTheChild) {
  const auto outcome = run_script([](SyscallScript& script) {
    script.call(5, SYS_clone, {CLONE_PARENT}, SyscallScript::kFork);
    exec_shell(script, "echo $$");
  });
  ASSERT_EQ(outcome.reports.size(), 1U);
  EXPECT_EQ(outcome.reports[0].step, 5U);
  EXPECT_EQ(outcome.output, std::to_string(outcome.reports[0].result) + "\n");
  EXPECT_EQ(outcome.status.shell_code(), 0);
  EXPECT_EQ(::waitpid(static_cast<pid_t>(outcome.reports[0].result), nullptr, __WALL),
            static_cast<pid_t>(outcome.reports[0].result));
}

TEST(SyscallScript, ItsExecutableIsNotOursAndCantBeWritten) {
  const auto outcome = run_script([](SyscallScript& script) {
    // A script whose interpreter is /proc/self/exe gets the sealed image, never this test's binary.
    const auto path = script.text("/proc/self/exe");
    script.call(3, SYS_openat, {static_cast<std::uint64_t>(AT_FDCWD), path, O_RDWR}, SyscallScript::kReportResult);
  });
  ASSERT_EQ(outcome.reports.size(), 1U);
  EXPECT_TRUE(outcome.reports[0].result == -EPERM || outcome.reports[0].result == -ETXTBSY ||
              outcome.reports[0].result == -EROFS)
      << outcome.reports[0].result;
}

}  // namespace
}  // namespace sys
