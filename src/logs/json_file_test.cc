#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "codec/json.h"
#include "logs/detail/line_reader.h"
#include "logs/detail/line_writer.h"
#include "logs/driver.h"
#include "logs/test_log.h"

namespace logs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class JsonFile : public testing::Test {
 protected:
  TestLog log_;
};

const base::Time kTime = base::parse_rfc3339("2026-11-20T21:27:03.1234Z").value();

TEST_F(JsonFile, WritesDockersFormat) {
  log_.config.attributes = {{"com.example", "a\"b"}, {"tag", "x"}};
  auto driver = log_.open();
  ASSERT_TRUE(driver->write(Stream::Stdout, "a <b>&\t\"\\\r\n\nrest", kTime));
  ASSERT_TRUE(driver->write(Stream::Stderr, "oops\n", kTime));
  ASSERT_TRUE(driver->end(Stream::Stdout));
  const auto text = log_.text();
  const auto lines = base::split(text, '\n');
  ASSERT_EQ(lines.size(), 5U);
  const std::string tail = R"("attrs":{"com.example":"a\"b","tag":"x"},"time":"2026-11-20T21:27:03.1234Z"})";
  EXPECT_EQ(lines[0], R"({"log":"a \u003cb\u003e\u0026\u0009\"\\\r\n","stream":"stdout",)" + tail);
  EXPECT_EQ(lines[1], R"({"log":"\n","stream":"stdout",)" + tail);
  EXPECT_EQ(lines[2], R"({"log":"oops\n","stream":"stderr",)" + tail);
  EXPECT_TRUE(lines[3].starts_with(R"({"log":"rest","stream":"stdout","attrs")"));
  EXPECT_EQ(lines[4], "");
}

TEST_F(JsonFile, CutsLongLinesAtSixteenKibibytesWhereverReadsWereCut) {
  const std::string text = std::string(40'000, 'x') + "\n" + std::string(16 * 1024, 'y') + "\n";
  for (const std::size_t step : {std::size_t{1}, std::size_t{777}, std::size_t{16384}, text.size()}) {
    TestLog log;
    auto driver = log.open();
    for (std::size_t i = 0; i < text.size(); i += step) {
      ASSERT_TRUE(driver->write(Stream::Stdout, std::string_view{text}.substr(i, step), kTime));
    }
    const auto entries = log.read({});
    std::vector<std::size_t> sizes;
    std::string joined;
    for (const auto& entry : entries) {
      sizes.push_back(entry.line.size());
      joined += entry.line;
    }
    EXPECT_THAT(sizes, ElementsAre(16384, 16384, 40'000 - 2 * 16384 + 1, 16384, 1)) << step;
    EXPECT_EQ(joined, text);
  }
}

TEST_F(JsonFile, DoesNotCutACharacterInTwo) {
  std::string text = "x";
  while (text.size() < 100'000) text += "\u00e9\u20ac\U0001f600";
  text += "\n";
  auto driver = log_.open();
  for (std::size_t i = 0; i < text.size(); i += 1001) {
    ASSERT_TRUE(driver->write(Stream::Stdout, std::string_view{text}.substr(i, 1001), kTime));
  }
  std::string joined;
  const auto entries = log_.read({});
  for (const auto& entry : entries) joined += entry.line;
  EXPECT_EQ(joined, text);
}

TEST_F(JsonFile, AnyBytesSurviveOrBecomeTheReplacementCharacter) {
  std::string all;
  for (int c = 0; c < 256; ++c) {
    if (c != '\n') all += static_cast<char>(c);
  }
  all += "\u2028\u2029\u00e9\n";
  auto driver = log_.open();
  ASSERT_TRUE(driver->write(Stream::Stdout, all, kTime));
  const auto entries = log_.read({});
  ASSERT_EQ(entries.size(), 1U);
  std::string want = all.substr(0, 127);
  for (int c = 128; c < 256; ++c) want += "\ufffd";
  want += "\u2028\u2029\u00e9\n";
  EXPECT_EQ(entries[0].line, want);
  // Any JSON parser must agree with our own reader.
  const auto json = codec::Json::parse(log_.text());
  ASSERT_TRUE(json) << json.error().message();
  EXPECT_EQ((*json)["log"].as_string(), want);
}

TEST_F(JsonFile, EscapesTheSameAtEveryAlignment) {
  for (std::size_t at = 0; at < 40; ++at) {
    std::string text(40, 'a');
    text[at] = '<';
    std::string out;
    detail::append_escaped(out, text);
    EXPECT_EQ(out, std::string(at, 'a') + "\\u003c" + std::string(39 - at, 'a'));
  }
}

TEST_F(JsonFile, EndsALineThatACrashCutShort) {
  log_.write_text("{\"log\":\"whole\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-20T21:27:03Z\"}\n{\"log\":\"ha");
  auto driver = log_.open();
  ASSERT_TRUE(driver->write(Stream::Stdout, "new\n", kTime));
  const auto entries = log_.read({});
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].line, "whole\n");
  EXPECT_EQ(entries[1].line, "new\n");
}

TEST_F(JsonFile, RotatesBySizeAndKeepsSoManyFiles) {
  log_.config.options = {{"max-size", "1k"}, {"max-file", "3"}};
  auto driver = log_.open();
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(driver->write(Stream::Stdout, "line " + std::to_string(i) + "\n", kTime));
  }
  EXPECT_THAT(log_.names(), ElementsAre("log", "log.1", "log.2"));
  const auto entries = log_.read({});
  ASSERT_GT(entries.size(), 20U);
  EXPECT_EQ(entries.back().line, "line 199\n");
  // No gap where the files meet.
  for (std::size_t i = 0; i < entries.size(); ++i) {
    EXPECT_EQ(entries[i].line, "line " + std::to_string(200 - entries.size() + i) + "\n");
  }
}

TEST_F(JsonFile, ABatchOfManyLinesRotatesInItsMiddle) {
  log_.config.options = {{"max-size", "1k"}, {"max-file", "100"}};
  auto driver = log_.open();
  std::string batch;
  for (int i = 0; i < 300; ++i) batch += "line " + std::to_string(i) + "\n";
  ASSERT_TRUE(driver->write(Stream::Stdout, batch, kTime));
  EXPECT_GT(log_.names().size(), 15U);
  EXPECT_EQ(log_.read({}).size(), 300U);
}

TEST_F(JsonFile, CompressesRotatedFilesAndReadsThem) {
  log_.config.options = {{"max-size", "1k"}, {"max-file", "4"}, {"compress", "true"}};
  auto driver = log_.open();
  int compressed = 0;
  for (int i = 0; i < 55; ++i) {
    ASSERT_TRUE(driver->write(Stream::Stdout, "line " + std::to_string(i) + "\n", kTime));
    if (const auto file = driver->take_rotated()) {
      ASSERT_TRUE(compress_file(*file));
      driver->compressed();
      ++compressed;
    }
  }
  EXPECT_EQ(compressed, 3);
  EXPECT_THAT(log_.names(), ElementsAre("log", "log.1.gz", "log.2.gz", "log.3.gz"));
  EXPECT_EQ(log_.read({}).size(), 55U);
  EXPECT_EQ(log_.read({.tail = 15}).front().line, "line 40\n");
}

TEST_F(JsonFile, WithOneFileStartsAnew) {
  log_.config.options = {{"max-size", "1k"}};
  auto driver = log_.open();
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(driver->write(Stream::Stdout, "line " + std::to_string(i) + "\n", kTime));
  }
  EXPECT_THAT(log_.names(), ElementsAre("log"));
  EXPECT_EQ(log_.read({}).back().line, "line 99\n");
}

#ifdef CAISSON_FAULTS
TEST_F(JsonFile, AFullDiskLosesNothing) {
  auto driver = log_.open();
  ASSERT_EQ(::setenv("CAISSON_FAULT", "logs.write:ENOSPC", 1), 0);
  const auto failed = driver->write(Stream::Stdout, "one\ntwo\n", kTime);
  EXPECT_FALSE(failed);
  EXPECT_EQ(failed.error().errno_value(), ENOSPC);
  EXPECT_GT(driver->pending(), 0U);
  ::unsetenv("CAISSON_FAULT");
  ASSERT_TRUE(driver->write(Stream::Stdout, "", kTime));
  EXPECT_EQ(driver->pending(), 0U);
  EXPECT_EQ(log_.read({}).size(), 2U);
}

TEST_F(JsonFile, NonBlockingDropsWhatDoesNotFit) {
  log_.config.options = {{"mode", "non-blocking"}, {"max-buffer-size", "1k"}};
  auto driver = log_.open();
  ASSERT_EQ(::setenv("CAISSON_FAULT", "logs.write:ENOSPC", 1), 0);
  for (int i = 0; i < 100; ++i) base::ignore(driver->write(Stream::Stdout, "line\n", kTime), "the disk is full");
  EXPECT_LE(driver->pending(), 1200U);
  ::unsetenv("CAISSON_FAULT");
  ASSERT_TRUE(driver->write(Stream::Stdout, "after\n", kTime));
  EXPECT_EQ(log_.read({}).back().line, "after\n");
}
#endif

TEST(Validate, SpeaksDockersWords) {
  const auto message = [](const std::string& driver, std::map<std::string, std::string> options) {
    const auto result = validate({.driver = driver, .options = std::move(options), .path = "/x", .attributes = {}});
    return result ? std::string{} : result.error().message();
  };
  EXPECT_EQ(message("", {{"max-size", "10m"}, {"max-file", "3"}, {"labels", "a,b"}}), "");
  EXPECT_EQ(message("json-file", {{"foo", "1"}}), "unknown log opt 'foo' for json-file log driver");
  EXPECT_EQ(message("nope", {}), "logger: no log driver named 'nope' is registered");
  EXPECT_EQ(message("", {{"max-file", "0"}}), "max-file cannot be less than 1");
  EXPECT_EQ(message("", {{"max-size", "ten"}}), "invalid size: 'ten'");
  EXPECT_THAT(message("", {{"compress", "true"}, {"max-size", "-1"}}), HasSubstr("compress cannot be true"));
  EXPECT_EQ(message("", {{"mode", "maybe"}}), "logger: logging mode not supported: maybe");
  EXPECT_THAT(message("", {{"max-buffer-size", "4m"}}), HasSubstr("only supported with 'mode=non-blocking'"));
}

TEST(ReadLine, TakesWhatOthersWriteAndRefusesTheRest) {
  Entry entry;
  ASSERT_TRUE(detail::read_line(R"({ "time":"2026-11-20T22:27:03+01:00", "stream":"stderr", "log":"x" })", entry));
  EXPECT_EQ(entry.line, "x");
  EXPECT_EQ(entry.stream, Stream::Stderr);
  EXPECT_EQ(base::to_rfc3339(entry.time), "2026-11-20T21:27:03Z");
  ASSERT_TRUE(detail::read_line(
      R"({"log":"\ud83d\ude00\ud83d\u00e9\/","stream":"stdout","attrs":{"stream":"stderr"},"time":"2026-11-20T22:27:03.5Z"})", entry));
  EXPECT_EQ(entry.line, "\U0001f600\ufffd\u00e9/");
  EXPECT_EQ(entry.attributes.at("stream"), "stderr");
  for (const char* bad : {"", "{", "{}", "null", R"({"log":"x","stream":"stdout","time":"yesterday"})",
                          R"({"log":"x","stream":"stdout","time":"2026-11-20T22:27:03Z")", R"({"log":"x\)",
                          R"({"log":"\u12","stream":"stdout","time":"2026-11-20T22:27:03Z"})"}) {
    EXPECT_FALSE(detail::read_line(bad, entry)) << bad;
  }
  EXPECT_EQ(detail::stream_of_line(
                R"({"log":"\",\"stream\":\"stderr\"","stream":"stdout","attrs":{"a":"b","stream":"stderr"},"time":"2026-11-20T22:27:03Z"})"),
            Stream::Stdout);
}

}  // namespace
}  // namespace logs
