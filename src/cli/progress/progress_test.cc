#include <array>
#include <chrono>
#include <string>

#include <pty.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "cli/progress/display.h"
#include "sys/fd.h"
#include "sys/pty.h"

namespace cli {
namespace {

using Message = spec::api::ProgressMessage;

Message layer(const std::string& id, const std::string& status, std::int64_t current, std::int64_t total) {
  Message out;
  out.id = id;
  out.status = status;
  out.progress_detail = spec::api::ProgressDetail{current, total};
  return out;
}

TEST(ProgressBar, FillsItsWidth) {
  EXPECT_EQ(progress_bar({0, 0}, 200), "");
  EXPECT_EQ(progress_bar({1200, 0}, 200), "   1.2kB");
  EXPECT_EQ(progress_bar({25, 100}, 200),
            "[============>                                      ]      25B/100B");
  EXPECT_EQ(progress_bar({100, 100}, 200),
            "[==================================================>]     100B/100B");
  EXPECT_EQ(progress_bar({25, 100}, 80), "     25B/100B");
  // More than there can be.
  EXPECT_EQ(progress_bar({150, 100}, 80), "    150B");
}

TEST(Progress, IsPlainLinesInAFile) {
  auto pipe = sys::make_pipe();
  ASSERT_TRUE(pipe);
  Output out{pipe->write.get()};
  ProgressDisplay display{out};
  ASSERT_TRUE(display.show(layer("aaa", "Pulling fs layer", 0, 0)));
  ASSERT_TRUE(display.show(layer("aaa", "Downloading", 5, 10)));
  ASSERT_TRUE(display.show(layer("aaa", "Pull complete", 0, 0)));
  Message stream;
  stream.stream = "Loaded image: x\n";
  ASSERT_TRUE(display.show(stream));
  pipe->write.reset();
  EXPECT_EQ(*sys::read_to_end(pipe->read.get()),
            "aaa: Pulling fs layer\naaa: Pull complete\nLoaded image: x\n");
}

TEST(Progress, ChangesItsLineOnATerminal) {
  auto pty = sys::open_pty();
  ASSERT_TRUE(pty);
  ASSERT_TRUE(sys::set_window_size(pty->slave.get(), {.rows = 24, .columns = 80}));
  Output out{pty->slave.get()};
  ProgressDisplay display{out};
  ASSERT_TRUE(display.show(layer("aaa", "Downloading", 5, 10)));
  ASSERT_TRUE(display.show(layer("bbb", "Waiting", 0, 0)));
  ASSERT_TRUE(display.show(layer("aaa", "Downloading", 10, 10)));
  // A terminal hands on what was written in pieces.
  std::string text;
  while (sys::poll_readable(pty->master.get(), std::chrono::milliseconds{200})) {
    std::array<char, 4096> piece{};
    const auto count = sys::read_some(pty->master.get(), piece);
    ASSERT_TRUE(count);
    text.append(piece.data(), *count);
  }
  EXPECT_EQ(text,
            "\r\n\x1b[1A\x1b[2K\raaa: Downloading       5B/10B\r\x1b[1B"
            "\r\n\x1b[1A\x1b[2K\rbbb: Waiting \r\x1b[1B"
            "\x1b[2A\x1b[2K\raaa: Downloading      10B/10B\r\x1b[2B");
}

TEST(Progress, EndsWithTheErrorThatTheDaemonReports) {
  auto pipe = sys::make_pipe();
  ASSERT_TRUE(pipe);
  Output out{pipe->write.get()};
  ProgressDisplay display{out};
  Message message;
  message.error = "manifest unknown";
  EXPECT_EQ(display.show(message).error().message(), "manifest unknown");
}

}  // namespace
}  // namespace cli
