#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "logs/test_log.h"

namespace logs {
namespace {

using namespace std::chrono_literals;

const base::Time kStart = base::parse_rfc3339("2026-11-20T23:00:00Z").value();

/// Entry i says "i" at kStart + i seconds; every third is on stderr.
void fill(Driver& driver, int from, int to, const std::string& padding = "") {
  for (int i = from; i < to; ++i) {
    const Stream stream = i % 3 == 0 ? Stream::Stderr : Stream::Stdout;
    ASSERT_TRUE(driver.write(stream, std::to_string(i) + padding + "\n", kStart + std::chrono::seconds{i}));
  }
}

std::vector<int> numbers(const std::vector<Entry>& entries) {
  std::vector<int> out;
  out.reserve(entries.size());
  for (const auto& entry : entries) out.push_back(std::stoi(entry.line));
  return out;
}

std::vector<int> range(int from, int to) {
  std::vector<int> out;
  for (int i = from; i < to; ++i) out.push_back(i);
  return out;
}

TEST(Reader, AMissingLogIsEmpty) {
  const TestLog log;
  EXPECT_TRUE(log.read({}).empty());
  EXPECT_TRUE(log.read({.tail = 5}).empty());
}

TEST(Reader, OtherDriversCantBeRead) {
  TestLog log;
  log.config.driver = "none";
  const auto reader = Reader::open(log.config, {});
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().message(), "configured logging driver does not support reading");
}

/// One file and many, short lines and lines longer than a block: the answers are the same.
class ReaderShapes : public testing::TestWithParam<std::tuple<std::string, std::size_t>> {
 protected:
  void SetUp() override {
    const auto& [size, padding] = GetParam();
    if (!size.empty()) log_.config.options = {{"max-size", size}, {"max-file", "1000"}};
    fill(*log_.open(), 0, 500, std::string(padding, ' '));
  }
  TestLog log_;
};
INSTANTIATE_TEST_SUITE_P(All, ReaderShapes,
                         testing::Values(std::tuple{"", 0}, std::tuple{"", 3000}, std::tuple{"1k", 0},
                                         std::tuple{"20k", 100}, std::tuple{"300k", 16000}));

TEST_P(ReaderShapes, All) { EXPECT_EQ(numbers(log_.read({})), range(0, 500)); }

TEST_P(ReaderShapes, Tail) {
  for (const std::uint64_t n : {0, 1, 2, 9, 10, 63, 499, 500, 501}) {
    EXPECT_EQ(numbers(log_.read({.tail = n})), range(500 - static_cast<int>(std::min<std::uint64_t>(n, 500)), 500)) << n;
  }
}

TEST_P(ReaderShapes, TailOfOneStream) {
  std::vector<int> errors;
  for (int i = 0; i < 500; i += 3) errors.push_back(i);
  for (const std::size_t n : {1, 7, 100, 167, 300}) {
    const std::size_t count = std::min(n, errors.size());
    EXPECT_EQ(numbers(log_.read({.out = false, .tail = n})),
              std::vector<int>(errors.end() - static_cast<std::ptrdiff_t>(count), errors.end()))
        << n;
  }
}

TEST_P(ReaderShapes, SinceAndUntil) {
  for (const int since : {-5, 0, 1, 77, 250, 499, 500, 900}) {
    EXPECT_EQ(numbers(log_.read({.since = kStart + std::chrono::seconds{since}})), range(std::max(since, 0), 500)) << since;
  }
  EXPECT_EQ(numbers(log_.read({.since = kStart + 99s + 1ms, .until = kStart + 120s})), range(100, 121));
  EXPECT_EQ(numbers(log_.read({.since = kStart + 100s, .tail = 10})), range(490, 500));
  EXPECT_EQ(numbers(log_.read({.since = kStart + 495s, .tail = 10})), range(495, 500));
}

TEST_P(ReaderShapes, FollowsFromTheTailOn) {
  auto reader = Reader::open(log_.config, {.tail = 2, .follow = true}).value();
  auto driver = log_.open();
  std::jthread writer{[&] {
    for (int i = 500; i < 900; ++i) {
      fill(*driver, i, i + 1);
      if (i % 50 == 0) std::this_thread::sleep_for(2ms);
    }
    reader->finish();
  }};
  std::vector<Entry> entries;
  Entry entry;
  while (reader->next(entry, {}).value()) entries.push_back(entry);
  EXPECT_EQ(numbers(entries), range(498, 900));
  EXPECT_EQ(reader->skipped(), 0U);
}

TEST(Reader, FollowWaitsForALogThatIsNotThereYet) {
  const TestLog log;
  auto reader = Reader::open(log.config, {.follow = true}).value();
  Entry entry;
  EXPECT_EQ(reader->step(entry).value(), Reader::Step::Wait);
  fill(*log.open(), 0, 1);
  EXPECT_TRUE(sys::poll_readable(reader->fd(), 5s));
  EXPECT_EQ(reader->step(entry).value(), Reader::Step::Entry);
  EXPECT_EQ(reader->step(entry).value(), Reader::Step::Wait);
  EXPECT_FALSE(sys::poll_readable(reader->fd(), 0s)) << "an idle reader must not spin";
  reader->finish();
  EXPECT_TRUE(sys::poll_readable(reader->fd(), 5s));
  EXPECT_EQ(reader->step(entry).value(), Reader::Step::End);
}

TEST(Reader, StopEndsABlockedNext) {
  const TestLog log;
  auto reader = Reader::open(log.config, {.follow = true}).value();
  std::stop_source stop;
  std::jthread stopper{[&] {
    std::this_thread::sleep_for(20ms);
    stop.request_stop();
  }};
  Entry entry;
  EXPECT_FALSE(reader->next(entry, stop.get_token()).value());
}

TEST(Reader, FollowEndsAtUntil) {
  const TestLog log;
  auto reader = Reader::open(log.config, {.until = base::now() + 50ms, .follow = true}).value();
  Entry entry;
  EXPECT_FALSE(reader->next(entry, {}).value());
}

TEST(Reader, HalfALineIsNotGivenBeforeItIsWhole) {
  const TestLog log;
  const std::string line = "{\"log\":\"x\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-20T21:27:03Z\"}\n";
  log.write_text(line.substr(0, 20));
  auto reader = Reader::open(log.config, {.follow = true}).value();
  Entry entry;
  EXPECT_EQ(reader->step(entry).value(), Reader::Step::Wait);
  const auto file = sys::open_at(sys::kCwd, log.config.path, O_WRONLY | O_APPEND).value();
  ASSERT_TRUE(sys::write_all(file.get(), line.substr(20)));
  EXPECT_EQ(reader->step(entry).value(), Reader::Step::Entry);
  EXPECT_EQ(entry.line, "x\n");
}

TEST(Reader, SkipsAndCountsDamage) {
  const TestLog log;
  const std::string line = "{\"log\":\"x\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-20T21:27:03Z\"}\n";
  log.write_text(line + "garbage\n" + std::string(100, '\0') + "\n" + line + std::string(6 << 20, 'z') + "\n" + line +
                 line.substr(0, 30));
  auto reader = Reader::open(log.config, {}).value();
  Entry entry;
  int count = 0;
  while (reader->next(entry, {}).value()) ++count;
  EXPECT_EQ(count, 3);
  EXPECT_EQ(reader->skipped(), 4U);
}

TEST(Reader, AWriterThatIsFasterDoesNotMakeReadingEndless) {
  const TestLog log;
  auto driver = log.open();
  fill(*driver, 0, 10);
  auto reader = Reader::open(log.config, {}).value();
  Entry entry;
  int count = 0;
  for (; count < 1000 && reader->next(entry, {}).value(); ++count) fill(*driver, count, count + 2);
  EXPECT_EQ(count, 10);
}

TEST(Reader, RotationBetweenTwoReadsLosesNothing) {
  TestLog log;
  log.config.options = {{"max-size", "1k"}, {"max-file", "500"}};
  auto driver = log.open();
  fill(*driver, 0, 5);
  auto reader = Reader::open(log.config, {.follow = true}).value();
  Entry entry;
  ASSERT_EQ(reader->step(entry).value(), Reader::Step::Entry);
  fill(*driver, 5, 300);  // many rotations behind the reader's back
  reader->finish();
  std::vector<Entry> entries{entry};
  while (reader->next(entry, {}).value()) entries.push_back(entry);
  EXPECT_EQ(numbers(entries), range(0, 300));
}

}  // namespace
}  // namespace logs
