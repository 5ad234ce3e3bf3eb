/// The driver in a shim and caisson-log behind it, together.
#include <array>
#include <csignal>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/strings.h"
#include "logs/driver.h"
#include "logs/reader.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/stream_socket.h"

namespace forward {
namespace {

using logs::Stream;
using testing::HasSubstr;
using namespace std::chrono_literals;

class RemoteLog : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(sys::become_subreaper());
    std::string name = testing::TempDir() + "forward-XXXXXX";
    directory_ = ::mkdtemp(name.data());
    listener_ = sys::listen_tcp("127.0.0.1", 0).value();
    config_.driver = "gelf";
    config_.options["gelf-address"] = "tcp://" + sys::local_name(listener_.get()).value();
    config_.path = directory_ + "/cached.log";
    config_.origin.id = "abc";
  }
  void TearDown() override { base::ignore(sys::remove_tree(sys::kCwd, directory_), "a test's litter"); }

  /// The next connection.
  sys::UniqueFd accept() {
    EXPECT_TRUE(sys::poll_readable(listener_.get(), 20s));
    return sys::accept_on(listener_.get()).value();
  }
  /// What comes until `text` has.
  static std::string read_until(const sys::UniqueFd& connection, std::string_view text) {
    std::string seen;
    std::array<char, 65536> buffer{};
    while (seen.find(text) == std::string::npos && sys::poll_readable(connection.get(), 20s)) {
      const auto count = sys::read_some(connection.get(), buffer);
      if (!count || *count == 0) break;
      seen.append(buffer.data(), *count);
    }
    EXPECT_NE(seen.find(text), std::string::npos) << seen.substr(0, 1000);
    return seen;
  }

  /// The caisson-log of the only driver: it has become this process's child.
  static sys::Process forwarder() {
    const auto processes = sys::list_dir(sys::kCwd, "/proc").value();
    for (const auto& entry : processes) {
      const auto status = sys::read_file(sys::kCwd, "/proc/" + entry.name + "/status");
      if (!status || !status->starts_with("Name:\tcaisson-log\n")) continue;
      if (status->find("\nPPid:\t" + std::to_string(::getpid()) + "\n") == std::string::npos) continue;
      if (status->find("State:\tZ") != std::string::npos) continue;
      return sys::Process::open(static_cast<pid_t>(base::parse_uint(entry.name).value())).value();
    }
    ADD_FAILURE() << "no caisson-log";
    return {};
  }

  std::string directory_;
  sys::UniqueFd listener_;
  logs::Config config_;
};

TEST_F(RemoteLog, SendsLinesAndKeepsACopy) {
  auto driver = logs::Driver::open(config_).value();
  const auto peer = accept();
  ASSERT_TRUE(driver->write(Stream::Stdout, "one\ntw", base::now()));
  ASSERT_TRUE(driver->write(Stream::Stdout, "o\nrest", base::now()));
  EXPECT_EQ(driver->unfinished(Stream::Stdout), "rest");
  ASSERT_TRUE(driver->end(Stream::Stdout));
  EXPECT_EQ(driver->pending(), 0U);
  driver.reset();
  const std::string got = read_until(peer, "\"rest\"");
  EXPECT_THAT(got, HasSubstr(R"("short_message":"one")"));
  EXPECT_THAT(got, HasSubstr(R"("short_message":"two")"));
  auto reader = logs::Reader::open(config_, {}).value();
  std::string text;
  logs::Entry entry;
  while (reader->next(entry, {}).value()) text += entry.line;
  EXPECT_EQ(text, "one\ntwo\nrest");
}

TEST_F(RemoteLog, AReceiverThatIsNotThereIsAnErrorOfTheOpen) {
  listener_.reset();
  const auto driver = logs::Driver::open(config_);
  ASSERT_FALSE(driver);
  EXPECT_THAT(driver.error().message(), HasSubstr("failed to initialize logging driver: gelf: cannot connect to GELF endpoint"));
  EXPECT_THAT(driver.error().message(), HasSubstr("Connection refused"));
}

TEST_F(RemoteLog, ASlowReceiverIsToldOfInBlockingMode) {
  auto driver = logs::Driver::open(config_).value();
  const auto peer = accept();
  const std::string line = std::string(8000, 'x') + "\n";
  int written = 0;
  while (driver->write(Stream::Stdout, line, base::now()) && written < 10'000) ++written;
  ASSERT_LT(written, 10'000) << "it never says that it is full";
  EXPECT_GT(driver->pending(), 0U);
  ASSERT_GE(driver->writable_fd(), 0);
  std::thread reader{[&] { read_until(peer, "\"the last\""); }};
  std::string last = "the last\n";
  while (driver->pending() > 0 || !last.empty()) {
    if (driver->pending() == 0) {
      base::ignore(driver->write(Stream::Stdout, std::exchange(last, {}), base::now()), "pending() tells");
      continue;
    }
    ASSERT_TRUE(sys::poll_writable(driver->writable_fd(), 20s));
    base::ignore(driver->write(Stream::Stdout, {}, base::now()), "pending() tells");
  }
  reader.join();
}

TEST_F(RemoteLog, InNonBlockingModeItLosesInsteadWithinItsBuffer) {
  config_.options["mode"] = "non-blocking";
  config_.options["max-buffer-size"] = "64k";
  auto driver = logs::Driver::open(config_).value();
  const auto peer = accept();
  const std::string line = std::string(8000, 'x') + "\n";
  for (int i = 0; i < 5000; ++i) ASSERT_TRUE(driver->write(Stream::Stdout, line, base::now()));
  EXPECT_LE(driver->pending(), 80U * 1024U);
  EXPECT_FALSE(driver->blocking());
}

TEST_F(RemoteLog, AForwarderThatDiesIsReplaced) {
  auto driver = logs::Driver::open(config_).value();
  auto peer = accept();
  ASSERT_TRUE(driver->write(Stream::Stdout, "before\n", base::now()));
  read_until(peer, "\"before\"");
  ASSERT_TRUE(forwarder().signal(SIGKILL));
  // The next write may still go into the socket; then it is found broken and, after a pause, replaced.
  std::string got;
  for (int i = 0; i < 400 && got.find("again") == std::string::npos; ++i) {
    base::ignore(driver->write(Stream::Stdout, "again\n", base::now()), "it is broken");
    base::ignore(driver->write(Stream::Stdout, {}, base::now()), "as the shim tries again");
    if (!sys::poll_readable(listener_.get(), 50ms)) continue;
    peer = accept();
    got = read_until(peer, "again");
  }
  EXPECT_THAT(got, HasSubstr("again"));
}

}  // namespace
}  // namespace forward
