/// The driver "local": docker's file format, read in all the ways that json-file is read.
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "logs/detail/local_format.h"
#include "logs/detail/local_record.h"
#include "logs/driver.h"
#include "logs/remote_options.h"
#include "logs/test_log.h"

namespace logs {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using namespace std::chrono_literals;

const base::Time kTime = base::parse_rfc3339("2026-11-20T21:27:03.1234Z").value();

class Local : public testing::Test {
 protected:
  Local() { log_.config.driver = "local"; }

  /// `count` lines, one second after the other, every third on stderr.
  void write_lines(Driver& driver, int first, int count) {
    for (int i = first; i < first + count; ++i) {
      ASSERT_TRUE(driver.write(i % 3 == 0 ? Stream::Stderr : Stream::Stdout, line(i), kTime + std::chrono::seconds{i}));
    }
  }
  static std::string line(int i) { return "line " + std::to_string(i) + std::string(static_cast<std::size_t>(i % 200), '.') + "\n"; }
  static std::vector<std::string> texts(const std::vector<Entry>& entries) {
    std::vector<std::string> out;
    for (const Entry& entry : entries) out.push_back(entry.line);
    return out;
  }

  TestLog log_;
};

TEST_F(Local, IsDockersFormatByteForByte) {
  auto driver = log_.open();
  ASSERT_TRUE(driver->write(Stream::Stdout, "hi\n", base::Time{std::chrono::nanoseconds{300}}));
  // From docker's own encoder: the length, source "stdout", 300 ns, line "hi", the length.
  const std::string want("\0\0\0\x0f\x0a\x06stdout\x10\xac\x02\x1a\x02hi\0\0\0\x0f", 23);
  EXPECT_EQ(base::base64(log_.text()), base::base64(want));
}

TEST_F(Local, KeepsBytesStreamsTimesAndPieces) {
  log_.config.attributes = {{"tier", "front"}};
  auto driver = log_.open();
  const std::string binary("\0\xff\n\r\x01\n", 6);
  ASSERT_TRUE(driver->write(Stream::Stdout, binary + "\n", kTime));
  ASSERT_TRUE(driver->write(Stream::Stderr, std::string(40'000, 'x') + "\nrest", kTime + 1s));
  ASSERT_TRUE(driver->end(Stream::Stderr));
  const auto entries = log_.read({});
  EXPECT_THAT(texts(entries), ElementsAre(std::string("\0\xff\n", 3), "\r\x01\n", "\n", std::string(16'384, 'x'),
                                          std::string(16'384, 'x'), std::string(40'000 - 2 * 16'384, 'x') + "\n", "rest"));
  EXPECT_EQ(entries[0].stream, Stream::Stdout);
  EXPECT_EQ(entries[0].time, kTime);
  EXPECT_EQ(entries[3].stream, Stream::Stderr);
  EXPECT_EQ(entries[3].time, kTime + 1s);
  EXPECT_EQ(entries[0].attributes.at("tier"), "front");
  const std::string text = log_.text();
  const auto first = detail::read_record(std::string_view{text}.substr(4, detail::read_length(text.data())));
  ASSERT_TRUE(first);
  EXPECT_FALSE(first->partial);
}

TEST_F(Local, TailSinceUntilAndStreamsGiveWhatAFullReadGives) {
  constexpr int count = 4000;
  auto driver = log_.open();
  write_lines(*driver, 0, count);
  const auto all = log_.read({});
  ASSERT_THAT(all, SizeIs(count));
  for (const int from : {0, 1, 17, 1999, 3500, 3999}) {
    const auto since = log_.read({.since = kTime + std::chrono::seconds{from}});
    ASSERT_EQ(since.size(), static_cast<std::size_t>(count - from)) << from;
    EXPECT_EQ(since.front().line, line(from));
    const auto until = log_.read({.until = kTime + std::chrono::seconds{from}});
    EXPECT_EQ(until.size(), static_cast<std::size_t>(from + 1));
    const auto tail = log_.read({.tail = static_cast<std::uint64_t>(from)});
    ASSERT_EQ(tail.size(), static_cast<std::size_t>(from));
    if (from > 0) {
      EXPECT_EQ(tail.front().line, line(count - from));
    }
  }
  EXPECT_THAT(log_.read({.since = kTime + std::chrono::seconds{count}}), IsEmpty());
  const auto errors = log_.read({.out = false, .tail = 2});
  EXPECT_THAT(texts(errors), ElementsAre(line(3996), line(3999)));
  EXPECT_THAT(log_.read({.tail = 1'000'000}), SizeIs(count));
}

TEST_F(Local, RotatesAndReadsCompressedFiles) {
  log_.config.options = {{"max-size", "10k"}, {"max-file", "3"}};
  auto driver = log_.open();
  for (int i = 0; i < 300; ++i) {
    write_lines(*driver, i, 1);
    if (const auto rotated = driver->take_rotated()) {
      ASSERT_TRUE(compress_file(*rotated));
      driver->compressed();
    }
  }
  EXPECT_THAT(log_.names(), ElementsAre("log", "log.1.gz", "log.2.gz"));
  const auto entries = log_.read({});
  ASSERT_FALSE(entries.empty());
  EXPECT_EQ(entries.back().line, line(299));
  for (std::size_t i = 1; i < entries.size(); ++i) EXPECT_EQ(entries[i].time - entries[i - 1].time, 1s);
  const auto since = log_.read({.since = entries[3].time});
  EXPECT_EQ(since.size(), entries.size() - 3);
}

TEST_F(Local, AnEndThatACrashCutOffSpoilsNothingElse) {
  std::string whole;
  {
    auto driver = log_.open();
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(driver->write(Stream::Stdout, "line " + std::to_string(i) + "\n", kTime));
    whole = log_.text();
  }
  const std::size_t record = whole.size() / 3;
  for (std::size_t size = 1; size <= whole.size(); ++size) {
    log_.write_text(std::string_view{whole}.substr(0, size));
    const auto before = log_.read({});
    EXPECT_EQ(before.size(), size / record) << "a reader stops before what is not whole, at " << size;
    auto driver = log_.open();
    ASSERT_TRUE(driver->write(Stream::Stderr, "after\n", kTime));
    const auto entries = log_.read({});
    ASSERT_GE(entries.size(), size / record + 1) << size;
    EXPECT_EQ(entries.back().line, "after\n") << size;
    for (std::size_t i = 0; i < size / record; ++i) EXPECT_EQ(entries[i].line, "line " + std::to_string(i) + "\n");
    EXPECT_LE(entries.size(), size / record + 2) << "at most what was begun";
    EXPECT_THAT(texts(log_.read({.tail = 1})), ElementsAre("after\n")) << size;
  }
}

TEST_F(Local, DamageInTheMiddleIsPassedOver) {
  auto driver = log_.open();
  write_lines(*driver, 0, 300);
  const std::string whole = log_.text();
  for (const std::size_t at : {std::size_t{0}, std::size_t{3}, whole.size() / 3, whole.size() / 2}) {
    std::string damaged = whole;
    damaged.replace(at, 40, 40, '\x7f');
    log_.write_text(damaged);
    auto reader = Reader::open(log_.config, {}).value();
    std::vector<std::string> seen;
    Entry entry;
    while (reader->next(entry, {}).value()) seen.push_back(entry.line);
    ASSERT_GE(seen.size(), 297U) << at;
    EXPECT_EQ(seen.back(), line(299));
    EXPECT_TRUE(reader->skipped() >= 1 || seen.size() == 300) << at;
    EXPECT_THAT(texts(log_.read({.tail = 2})), ElementsAre(line(298), line(299)));
    EXPECT_THAT(log_.read({.since = kTime + 290s}), SizeIs(10));
  }
}

TEST_F(Local, ADamagedLengthHidesNothingBehindIt) {
  auto driver = log_.open();
  write_lines(*driver, 0, 3);
  std::string damaged = log_.text();
  damaged[2] = '\x59';  // the first record seems to go on behind the file's end
  log_.write_text(damaged);
  EXPECT_THAT(texts(log_.read({})), ElementsAre(line(1), line(2)));
}

TEST_F(Local, LinesThatLookLikeRecordsAreLines) {
  // Behind its length, 10, which is a newline, it looks like the start of a message.
  const std::string fake = "\x06stdout\x1a\x02x\n";
  auto driver = log_.open();
  constexpr int count = 4000;
  for (int i = 0; i < count; ++i) ASSERT_TRUE(driver->write(Stream::Stdout, fake, kTime + std::chrono::seconds{i}));
  EXPECT_THAT(log_.read({.tail = 3}), SizeIs(3));
  const auto entries = log_.read({});
  ASSERT_THAT(entries, SizeIs(count));
  for (const Entry& entry : entries) EXPECT_EQ(entry.line, fake);
  for (const int from : {1, 777, 2000, 3999}) {
    EXPECT_THAT(log_.read({.since = kTime + std::chrono::seconds{from}}), SizeIs(count - from));
  }
}

TEST_F(Local, AFollowerSeesEachLineOnceThroughRotations) {
  log_.config.options = {{"max-size", "4k"}, {"max-file", "100"}};
  auto driver = log_.open();
  auto reader = Reader::open(log_.config, {.follow = true}).value();
  std::vector<std::string> seen;
  std::thread follower{[&] {
    Entry entry;
    while (reader->next(entry, {}).value()) seen.push_back(entry.line);
  }};
  write_lines(*driver, 0, 500);
  reader->finish();
  follower.join();
  ASSERT_THAT(seen, SizeIs(500));
  for (int i = 0; i < 500; ++i) EXPECT_EQ(seen[static_cast<std::size_t>(i)], line(i));
}

struct WrongOption {
  const char* driver;
  Options options;
  const char* message;
};

TEST(LogOptions, AreCheckedInDockersWords) {
  const std::vector<WrongOption> wrong{
      {"splunk", {}, "logger: no log driver named 'splunk' is registered"},
      {"json-file", {{"syslog-address", "udp://x"}}, "unknown log opt 'syslog-address' for json-file log driver"},
      {"local", {{"max-sise", "1"}}, "unknown log opt 'max-sise' for local log driver"},
      {"journald", {{"max-size", "1m"}}, "unknown log opt 'max-size' for journald log driver"},
      {"syslog", {{"syslog-", "x"}}, "unknown log opt 'syslog-' for syslog log driver"},
      {"syslog", {{"syslog-address", "host:514"}}, "syslog-address should be in form proto://address, got host:514"},
      {"syslog", {{"syslog-address", "http://h"}}, "syslog-address should be in form proto://address, got http://h"},
      {"syslog", {{"syslog-facility", "nobody"}}, "invalid syslog facility"},
      {"syslog", {{"syslog-format", "rfc1"}}, "Invalid syslog format"},
      {"syslog", {{"syslog-tls-cert", "/c"}}, "syslog-tls-cert and syslog-tls-key need each other"},
      {"gelf", {}, "gelf-address is a required parameter"},
      {"gelf", {{"gelf-address", "h:1"}}, "gelf-address should be in form proto://address, got h:1"},
      {"gelf", {{"gelf-address", "unix:///x"}}, "gelf: endpoint needs to be TCP or UDP"},
      {"gelf", {{"gelf-address", "udp://h"}}, "gelf: please provide gelf-address as proto://host:port"},
      {"gelf", {{"gelf-address", "udp://h:1"}, {"gelf-compression-type", "lzma"}},
       "unknown value \"lzma\" for log opt \"gelf-compression-type\" for gelf log driver"},
      {"gelf", {{"gelf-address", "tcp://h:1"}, {"gelf-compression-type", "gzip"}}, "compression is only supported on UDP"},
      {"gelf", {{"gelf-address", "udp://h:1"}, {"gelf-tcp-max-reconnect", "1"}}, "\"gelf-tcp-max-reconnect\" is only valid for TCP"},
      {"fluentd", {{"fluentd-address", "http://h"}}, "invalid fluentd-address (http://h): unsupported scheme: 'http'"},
      {"fluentd", {{"fluentd-address", "h:1/x"}}, "invalid fluentd-address (h:1/x): should not contain a path element"},
      {"fluentd", {{"fluentd-address", "unix://"}}, "invalid fluentd-address (unix://): path is empty"},
      {"fluentd", {{"fluentd-async", "maybe"}}, "strconv.ParseBool: parsing \"maybe\": invalid syntax"},
      {"fluentd", {{"fluentd-buffer-limit", "much"}}, "invalid size: 'much'"},
      {"fluentd", {{"fluentd-async-reconnect-interval", "1m"}},
       "invalid value for fluentd-async-reconnect-interval: value (1m) must be between 100ms and 10s"},
      {"local", {{"max-file", "1"}, {"compress", "true"}}, "compression cannot be enabled when max file count is 1"},
      {"json-file", {{"max-size", "0"}}, "max-size must be a positive number"},
      {"json-file", {{"mode", "fast"}}, "logger: logging mode not supported: fast"},
      {"syslog", {{"cache-max-size", "x"}}, "invalid size: 'x'"},
      {"syslog", {{"cache-disabled", "x"}}, "strconv.ParseBool: parsing \"x\": invalid syntax"}};
  for (const WrongOption& one : wrong) {
    const auto checked = validate({.driver = one.driver, .options = one.options});
    ASSERT_FALSE(checked) << one.message;
    EXPECT_TRUE(checked.error().is(base::ErrorKind::InvalidArgument));
    EXPECT_EQ(checked.error().message(), one.message);
  }
}

TEST(LogOptions, WhatDockerTakesIsTaken) {
  const std::vector<std::pair<const char*, Options>> right{
      {"", {}},
      {"none", {{"max-size", "1"}}},
      {"json-file", {{"compress", "true"}}},  // rotation is on by default
      {"json-file", {{"max-size", "-1"}, {"labels", "a"}, {"env-regex", "^X"}, {"tag", "{{.Name}}"}}},
      {"local", {{"mode", "non-blocking"}, {"max-buffer-size", "4m"}}},
      {"syslog", {{"syslog-address", "tcp+tls://[::1]:6514"}, {"syslog-facility", "local7"}, {"syslog-format", "rfc5424micro"}}},
      {"syslog", {{"syslog-address", "unixgram:///dev/log"}, {"syslog-facility", "23"}, {"cache-disabled", "true"}}},
      {"gelf", {{"gelf-address", "udp://[::1]:12201"}, {"gelf-compression-level", "-1"}, {"gelf-compression-type", "zlib"}}},
      {"gelf", {{"gelf-address", "tcp://h:1"}, {"gelf-tcp-max-reconnect", "0"}, {"gelf-tcp-reconnect-delay", "5"}}},
      {"fluentd", {{"fluentd-address", "tls://h"}, {"fluentd-retry-wait", "10ms"}, {"fluentd-sub-second-precision", "1"}}},
      {"fluentd", {{"fluentd-address", "unix:///run/f.sock"}, {"fluentd-async", "true"}}},
      {"journald", {{"tag", "x"}, {"labels-regex", "."}}}};
  for (const auto& [driver, options] : right) {
    const auto checked = validate({.driver = driver, .options = options});
    EXPECT_TRUE(checked) << driver << ": " << checked.error().message();
  }
}

TEST(LogOptions, AddressesGetTheirDefaultPorts) {
  EXPECT_EQ(syslog_options({{"syslog-address", "tcp://h"}})->endpoint.port, 514);
  EXPECT_EQ(syslog_options({{"syslog-address", "udp://[::1]"}})->endpoint.host, "::1");
  EXPECT_EQ(fluentd_options({})->endpoint.host, "localhost");
  EXPECT_EQ(fluentd_options({{"fluentd-address", "h"}})->endpoint.port, 24224);
  EXPECT_EQ(fluentd_options({{"fluentd-address", "h:1"}})->endpoint.port, 1);
}

TEST(LogOptions, ALogThatSaysNothingIsRotatedAllTheSame) {
  TestLog log;
  auto driver = log.open();
  const std::string line(10'000, 'x');
  for (int i = 0; i < 2100; ++i) ASSERT_TRUE(driver->write(Stream::Stdout, line + "\n", kTime));
  EXPECT_THAT(log.names(), ElementsAre("log", "log.1"));
  TestLog endless;
  endless.config.options = {{"max-size", "-1"}};
  driver = endless.open();
  for (int i = 0; i < 2100; ++i) ASSERT_TRUE(driver->write(Stream::Stdout, line + "\n", kTime));
  EXPECT_THAT(endless.names(), ElementsAre("log"));
}

}  // namespace
}  // namespace logs
