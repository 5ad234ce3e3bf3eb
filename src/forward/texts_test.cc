/// What goes over the wire, byte for byte, and the queue.
#include <cstdlib>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "codec/json.h"
#include "forward/detail/gelf_text.h"
#include "forward/detail/msgpack.h"
#include "forward/detail/syslog_text.h"
#include "forward/queue.h"

namespace forward {
namespace {

using logs::Stream;
using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;

const base::Time kTime = base::parse_rfc3339("2026-03-04T05:06:07.123456789Z").value();

class Syslog : public testing::Test {
 protected:
  void SetUp() override {
    ::setenv("TZ", "UTC", 1);  // NOLINT(concurrency-mt-unsafe): one thread
    ::tzset();
  }
  static std::string of(logs::SyslogFormat format, Stream stream, bool counted = false) {
    const detail::SyslogText text{.format = format, .facility = 16, .host = "box", .tag = "web", .pid = 7, .counted = counted};
    return text.of({stream, kTime, "hi there", {}});
  }
};

TEST_F(Syslog, HasDockersFormats) {
  EXPECT_EQ(of(logs::SyslogFormat::Unix, Stream::Stdout), "<134>Mar  4 05:06:07 web[7]: hi there\n");
  EXPECT_EQ(of(logs::SyslogFormat::Rfc3164, Stream::Stderr), "<131>Mar  4 05:06:07 box web[7]: hi there\n");
  EXPECT_EQ(of(logs::SyslogFormat::Rfc5424, Stream::Stdout), "<134>1 2026-03-04T05:06:07Z box web 7 web - hi there\n");
  EXPECT_EQ(of(logs::SyslogFormat::Rfc5424Micro, Stream::Stdout),
            "<134>1 2026-03-04T05:06:07.123456Z box web 7 web - hi there\n");
  EXPECT_EQ(of(logs::SyslogFormat::Rfc5424, Stream::Stdout, true),
            "53 <134>1 2026-03-04T05:06:07Z box web 7 web - hi there\n");
}

logs::Config config_of(std::string driver) {
  logs::Config config{.driver = std::move(driver)};
  config.origin = {.id = std::string(64, 'a'), .name = "web", .image_id = "sha256:b", .image = "nginx", .command = "run",
                   .created = "2026-01-01T00:00:00Z", .tag = "aaaaaaaaaaaa"};
  config.attributes = {{"tier", "front"}};
  return config;
}

TEST(Gelf, IsJsonWithTheContainersFields) {
  const auto constant = detail::gelf_constant("box", config_of("gelf"));
  const auto json = codec::Json::parse(detail::gelf_text(constant, {Stream::Stderr, kTime, "a \"b\" \xff", {}})).value();
  EXPECT_EQ(json["version"].as_string(), "1.1");
  EXPECT_EQ(json["host"].as_string(), "box");
  EXPECT_EQ(json["short_message"].as_string(), "a \"b\" \xef\xbf\xbd") << "what is no UTF-8 is replaced";
  EXPECT_EQ(json["level"].as_int(), 3);
  EXPECT_EQ(json["_container_id"].as_string(), std::string(64, 'a'));
  EXPECT_EQ(json["_container_name"].as_string(), "web");
  EXPECT_EQ(json["_image_name"].as_string(), "nginx");
  EXPECT_EQ(json["_tier"].as_string(), "front");
  EXPECT_THAT(detail::gelf_text(constant, {Stream::Stdout, kTime, "x", {}}), HasSubstr("\"timestamp\":1772600767.123,"));
}

TEST(Gelf, LargeDatagramsComeInChunks) {
  EXPECT_THAT(detail::gelf_chunks(std::string(1420, 'x')).value(), testing::SizeIs(1));
  const std::string text(5000, 'y');
  const auto chunks = detail::gelf_chunks(text).value();
  ASSERT_EQ(chunks.size(), 4U);
  std::string joined;
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    EXPECT_LE(chunks[i].size(), 1420U);
    EXPECT_EQ(chunks[i].substr(0, 2), "\x1e\x0f");
    EXPECT_EQ(chunks[i].substr(2, 8), chunks[0].substr(2, 8)) << "one id";
    EXPECT_EQ(static_cast<std::size_t>(chunks[i][10]), i);
    EXPECT_EQ(chunks[i][11], 4);
    joined += chunks[i].substr(12);
  }
  EXPECT_EQ(joined, text);
  EXPECT_TRUE(detail::gelf_chunks(std::string(std::size_t{128} * 1408, 'x')));
  EXPECT_FALSE(detail::gelf_chunks(std::string(std::size_t{128} * 1408 + 1, 'x')));
}

TEST(Gelf, IsCompressedAsAsked) {
  using enum logs::GelfOptions::Compression;
  const std::string text(3000, 'z');
  const auto gzip = detail::gelf_compress(text, Gzip, 1).value();
  EXPECT_EQ(gzip.substr(0, 2), "\x1f\x8b");
  EXPECT_LT(gzip.size(), 200U);
  EXPECT_EQ(detail::gelf_compress(text, Zlib, 9)->front(), '\x78');
  EXPECT_EQ(detail::gelf_compress(text, None, 1).value(), text);
}

TEST(Msgpack, EncodesAsItsSpecificationSays) {
  std::string out;
  detail::msgpack::append_array(out, 3);
  detail::msgpack::append_string(out, "ab");
  detail::msgpack::append_number(out, 5);
  detail::msgpack::append_number(out, 0x100000000);
  detail::msgpack::append_map(out, 1);
  detail::msgpack::append_map(out, 20);
  detail::msgpack::append_string(out, std::string(32, 'x'));
  detail::msgpack::append_string(out, std::string(300, 'x'));
  detail::msgpack::append_event_time(out, kTime);
  std::string want = "\x93\xa2" "ab\x05" + std::string("\xcf\0\0\0\x01\0\0\0\0", 9) + "\x81" + std::string("\xde\0\x14", 3);
  want += "\xd9\x20" + std::string(32, 'x') + "\xda\x01\x2c" + std::string(300, 'x');
  want += std::string("\xd7\0\x69\xa7\xbd\xbf\x07\x5b\xcd\x15", 10);
  EXPECT_EQ(base::base64(out), base::base64(want));
}

TEST(Assembler, PiecesOfALongLineAreNumbered) {
  Assembler assembler;
  std::vector<Message> got;
  const auto take = [&](Message message) { got.push_back(std::move(message)); };
  assembler.feed(Stream::Stdout, std::string(40'000, 'x') + "\nnext\nrest", kTime, take);
  assembler.end(Stream::Stdout, kTime, take);
  ASSERT_EQ(got.size(), 5U);
  EXPECT_EQ(got[0].piece->ordinal, 1U);
  EXPECT_FALSE(got[0].piece->last);
  EXPECT_EQ(got[2].piece->ordinal, 3U);
  EXPECT_TRUE(got[2].piece->last);
  EXPECT_EQ(got[0].piece->id, got[2].piece->id);
  EXPECT_EQ(got[0].line.size() + got[1].line.size() + got[2].line.size(), 40'000U);
  EXPECT_FALSE(got[3].piece);
  EXPECT_EQ(got[3].line, "next");
  EXPECT_EQ(got[4].line, "rest");
  EXPECT_FALSE(got[4].piece);
}

Message line(std::size_t size) { return {Stream::Stdout, kTime, std::string(size, 'x'), {}}; }

TEST(Queue, LosesOnlyWhileItsReceiverTakesNothing) {
  Queue queue{{.bytes = 1000}, 1s};
  queue.push(line(600));
  queue.set_failing(true);
  queue.push(line(600));
  EXPECT_EQ(queue.lost(), 1U);
  queue.set_failing(false);
  std::thread late{[&] { queue.push(line(600)); }};  // waits for room
  EXPECT_EQ(queue.peek().size(), 1U);
  queue.drop(1);
  late.join();
  EXPECT_EQ(queue.lost(), 1U);
  EXPECT_EQ(queue.left(), 1U);
  queue.close();
  queue.drop(1);
  EXPECT_TRUE(queue.peek().empty());
}

TEST(Queue, OneThatHoldsBackGivesUpAtTheEnd) {
  Queue queue{{.bytes = 1000, .holds_back = true}, 50ms};
  queue.push(line(600));
  queue.set_failing(true);
  std::thread end{[&] { queue.end_soon(); }};
  queue.push(line(600));  // returns when the grace is over
  EXPECT_EQ(queue.lost(), 1U);
  EXPECT_FALSE(queue.pause(10s));
  end.join();
}

}  // namespace
}  // namespace forward
