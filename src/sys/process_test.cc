#include "sys/process.h"

#include <csignal>

#include <gtest/gtest.h>
#include <unistd.h>

#include "sys/file.h"

namespace sys {
namespace {

TEST(Spawn, GivesExactlyTheDescriptorsAsked) {
  auto out = make_pipe().value();
  auto extra = make_pipe().value();
  const int leaked = ::dup(0);  // not close-on-exec on purpose
  auto child = spawn({.path = "/bin/sh",
                      .argv = {"sh", "-c", "ls /proc/self/fd | tr '\\n' ' '; echo $X; pwd"},
                      .env = {"X=1", "PATH=/usr/bin:/bin"},
                      .fds = {{out.write.get(), 1}, {extra.write.get(), 5}},
                      .cwd = "/proc"});
  ASSERT_TRUE(child) << child.error().message();
  out.write.reset();
  const std::string text = read_to_end(out.read.get()).value();
  EXPECT_EQ(child->wait()->shell_code(), 0);
  ::close(leaked);
  // 3 is ls's own descriptor of the directory.
  EXPECT_EQ(text, "0 1 2 3 5 1\n/proc\n");
}

TEST(Spawn, SwapsDescriptors) {
  auto a = make_pipe().value();
  auto b = make_pipe().value();
  auto child = spawn({.path = "/bin/sh",
                      .argv = {"sh", "-c", "echo a >&" + std::to_string(b.write.get())},
                      .fds = {{a.write.get(), b.write.get()}, {b.write.get(), a.write.get()}}});
  ASSERT_TRUE(child);
  a.write.reset();
  b.write.reset();
  EXPECT_EQ(read_to_end(a.read.get()).value(), "a\n");
  EXPECT_EQ(child->wait()->shell_code(), 0);
}

TEST(Spawn, ExecutesADescriptor) {
  const UniqueFd shell = open_at(kCwd, "/bin/sh", O_PATH).value();
  auto child = spawn({.path = "sh", .executable = shell.get(), .argv = {"sh", "-c", "exit 7"}});
  ASSERT_TRUE(child) << child.error().message();
  EXPECT_EQ(child->wait()->shell_code(), 7);
}

TEST(Spawn, ReportsExecsErrorAndLeavesNoZombie) {
  const auto child = spawn({.path = "/nowhere/prog", .argv = {"prog"}});
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().kind(), base::ErrorKind::NotFound);
  EXPECT_EQ(child.error().errno_value(), ENOENT);
  EXPECT_TRUE(spawn({.path = "/etc/passwd", .argv = {"x"}}).failed_as(base::ErrorKind::PermissionDenied));
}

TEST(Process, TellsLifeAndDeath) {
  auto child = spawn({.path = "/bin/sleep", .argv = {"sleep", "100"}}).value();
  EXPECT_TRUE(child.alive());
  EXPECT_FALSE(child.try_wait()->has_value());
  EXPECT_GT(start_time_of(child.pid()).value(), 0U);
  ASSERT_TRUE(child.signal(SIGTERM));
  const auto status = child.wait().value();
  EXPECT_TRUE(status.by_signal());
  EXPECT_EQ(status.shell_code(), 128 + SIGTERM);
  EXPECT_FALSE(child.alive());
  EXPECT_TRUE(child.signal(SIGTERM).failed_as(base::ErrorKind::NotFound));
}

TEST(Spawn, AnOrphanIsNobodysChildHere) {
  auto out = make_pipe().value();
  auto orphan = spawn({.path = "/bin/sh",
                       .argv = {"sh", "-c", "echo $PPID; exit 3"},
                       .fds = {{out.write.get(), 1}},
                       .orphan = true});
  ASSERT_TRUE(orphan) << orphan.error().message();
  out.write.reset();
  EXPECT_NE(read_to_end(out.read.get()).value(), std::to_string(::getpid()) + "\n");
  EXPECT_FALSE(orphan->wait());
  const auto missing = spawn({.path = "/nonexistent", .argv = {"x"}, .orphan = true});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().errno_value(), ENOENT);
}

}  // namespace
}  // namespace sys
