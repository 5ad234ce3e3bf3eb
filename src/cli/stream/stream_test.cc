#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/stream/detach_keys.h"
#include "cli/stream/frames.h"

namespace cli {
namespace {

using testing::ElementsAre;

TEST(DetachKeys, AreReadAsDockerReadsThem) {
  EXPECT_EQ(*parse_detach_keys("ctrl-p,ctrl-q"), "\x10\x11");
  EXPECT_EQ(*parse_detach_keys("a,ctrl-@"), std::string("a\0", 2));
  EXPECT_EQ(*parse_detach_keys("ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_"), "\x1b\x1c\x1d\x1e\x1f");
  EXPECT_FALSE(parse_detach_keys("ctrl-"));
  EXPECT_FALSE(parse_detach_keys("ctrl-A"));
  EXPECT_FALSE(parse_detach_keys("foo"));
  EXPECT_FALSE(parse_detach_keys(""));
}

TEST(DetachFilter, TakesTheSequenceOutOfWhatIsTyped) {
  DetachFilter filter{"\x10\x11"};
  std::string out;
  EXPECT_FALSE(filter.feed("ab\x10", out));
  EXPECT_EQ(out, "ab");
  EXPECT_TRUE(
      filter.feed("\x11"
                  "cd",
                  out));
  EXPECT_EQ(out, "ab");
}

TEST(DetachFilter, GivesBackWhatWasNoSequence) {
  DetachFilter filter{"\x10\x11"};
  std::string out;
  EXPECT_FALSE(filter.feed("\x10x", out));
  EXPECT_EQ(out, "\x10x");
  // The second key begins anew: the first of the two is given back.
  EXPECT_FALSE(filter.feed("\x10\x10", out));
  EXPECT_EQ(out, "\x10x\x10");
  EXPECT_TRUE(filter.feed("\x11", out));
}

TEST(DetachFilter, WithoutKeysPassesAll) {
  DetachFilter filter{""};
  std::string out;
  EXPECT_FALSE(filter.feed("a\x10\x11", out));
  EXPECT_EQ(out, "a\x10\x11");
}

std::string frame(char stream, std::string_view text) {
  std::string out{stream, '\0', '\0', '\0', '\0', '\0', '\0', static_cast<char>(text.size())};
  return out.append(text);
}

TEST(Frames, ComeApartHoweverTheyAreCut) {
  const std::string whole = frame(1, "out") + frame(2, "error") + frame(1, "") + frame(1, "more");
  for (std::size_t piece = 1; piece <= whole.size(); ++piece) {
    FrameReader reader;
    std::string out;
    std::string err;
    int begun = 0;
    int ended = 0;
    for (std::size_t at = 0; at < whole.size(); at += piece) {
      const auto done = reader.feed(std::string_view{whole}.substr(at, piece), [&](const FramePiece& part) {
        (part.stream == FrameStream::Err ? err : out) += part.bytes;
        begun += part.first ? 1 : 0;
        ended += part.last ? 1 : 0;
      });
      ASSERT_TRUE(done);
    }
    EXPECT_EQ(out, "outmore");
    EXPECT_EQ(err, "error");
    EXPECT_EQ(begun, 4);
    EXPECT_EQ(ended, 4);
    EXPECT_FALSE(reader.incomplete());
  }
}

TEST(Frames, ReportWhatTheDaemonReports) {
  FrameReader reader;
  const auto failed = reader.feed(frame(3, "broken"), [](const FramePiece&) {});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message(), "error from daemon in stream: broken");
  FrameReader other;
  EXPECT_TRUE(
      other.feed(frame(7, "x"), [](const FramePiece&) {}).failed_as(base::ErrorKind::InvalidArgument));
}

}  // namespace
}  // namespace cli
