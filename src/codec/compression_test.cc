#include "codec/compression.h"

#include <cstdlib>
#include <random>

#include <gtest/gtest.h>

#include "codec/read_ahead.h"
#include "codec/sha256.h"

namespace codec {
namespace {

/// Gives at most `step` bytes a read, so that every boundary inside a decompressor is crossed.
class TrickleSource final : public base::ByteSource {
 public:
  TrickleSource(std::string_view text, std::size_t step) : rest_{text}, step_{step} {}
  base::Result<std::size_t> read(std::span<char> buffer) override {
    const std::size_t count = std::min({rest_.size(), buffer.size(), step_});
    rest_.copy(buffer.data(), count);
    rest_.remove_prefix(count);
    return count;
  }

 private:
  std::string_view rest_;
  std::size_t step_;
};

class FailingSource final : public base::ByteSource {
 public:
  base::Result<std::size_t> read(std::span<char> /*buffer*/) override {
    return base::unavailable("connection reset by peer");
  }
};

std::string sample(std::size_t size) {
  std::mt19937 random{42};
  std::string text;
  while (text.size() < size) {
    text += "line " + std::to_string(random() % 1000) + "\n";
    if (random() % 50 == 0) text.append(300, static_cast<char>(random()));
  }
  text.resize(size);
  return text;
}

std::string compressed(std::string_view text, Compression compression) {
  base::StringSink sink;
  const auto compressor = compress(sink, compression);
  EXPECT_TRUE(compressor->write(text.substr(0, text.size() / 3)));
  EXPECT_TRUE(compressor->write(text.substr(text.size() / 3)));
  EXPECT_TRUE(compressor->finish());
  return sink.text;
}

base::Result<std::string> plain(base::ByteSource& source) {
  const auto stream = TRY(decompress(source));
  return base::read_all(*stream, std::size_t{1} << 30U);
}

base::Result<std::string> plain(std::string_view bytes) {
  base::StringSource source{bytes};
  return plain(source);
}

class CompressionTest : public testing::TestWithParam<Compression> {};
INSTANTIATE_TEST_SUITE_P(All, CompressionTest,
                         testing::Values(Compression::None, Compression::Gzip, Compression::Zstd),
                         [](const auto& tested) { return std::string{name_of(tested.param)}; });

TEST_P(CompressionTest, RoundTripsAnySize) {
  for (const std::size_t size : {0U, 1U, 3U, 4U, 511U, 65536U, 3'000'001U}) {
    const std::string text = sample(size);
    EXPECT_EQ(plain(compressed(text, GetParam())).value(), text) << size;
  }
}

TEST_P(CompressionTest, ReadsFromASourceThatTrickles) {
  const std::string text = sample(100'000);
  const std::string bytes = compressed(text, GetParam());
  for (const std::size_t step : {1U, 7U, 4096U}) {
    TrickleSource source{bytes, step};
    EXPECT_EQ(plain(source).value(), text) << step;
  }
}

TEST_P(CompressionTest, SaysWhatItReadAndCounts) {
  const std::string bytes = compressed(sample(10'000), GetParam());
  base::StringSource source{bytes};
  const auto stream = decompress(source).value();
  EXPECT_EQ(stream->compression(), GetParam());
  ASSERT_TRUE(base::read_all(*stream, 1U << 20U));
  EXPECT_EQ(stream->compressed_bytes(), bytes.size());
}

TEST_P(CompressionTest, OutputDependsOnTheInputOnly) {
  EXPECT_EQ(compressed(sample(500'000), GetParam()), compressed(sample(500'000), GetParam()));
}

TEST_P(CompressionTest, CutOffIsAnErrorAtEveryLength) {
  if (GetParam() == Compression::None) GTEST_SKIP() << "a plain stream has no end of its own";
  const std::string bytes = compressed(sample(2000), GetParam());
  for (std::size_t length = 4; length < bytes.size(); length += 3) {
    EXPECT_TRUE(plain(bytes.substr(0, length)).failed_as(base::ErrorKind::InvalidArgument)) << length;
  }
  EXPECT_FALSE(plain(bytes.substr(0, bytes.size() - 1)));
}

TEST_P(CompressionTest, FlippedBitsAreFound) {
  if (GetParam() == Compression::None) GTEST_SKIP() << "a plain stream has no checksum";
  const std::string text = sample(2000);
  const std::string bytes = compressed(text, GetParam());
  for (std::size_t at = 10; at < bytes.size(); at += 5) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    EXPECT_FALSE(plain(damaged)) << at;
  }
}

TEST_P(CompressionTest, MembersFollowEachOther) {
  if (GetParam() == Compression::None) GTEST_SKIP() << "a plain stream has no members";
  const std::string bytes =
      compressed("first ", GetParam()) + compressed("", GetParam()) + compressed("second", GetParam());
  for (const std::size_t step : {1U, 5U, 100'000U}) {
    TrickleSource source{bytes, step};
    EXPECT_EQ(plain(source).value(), "first second");
  }
}

TEST(Gunzip, RefusesGarbageBehindTheEndButTakesPadding) {
  const std::string bytes = compressed("text", Compression::Gzip);
  EXPECT_TRUE(plain(bytes + "junk").failed_as(base::ErrorKind::InvalidArgument));
  EXPECT_EQ(plain(bytes + std::string(5000, '\0')).value(), "text");
}

TEST(Gunzip, ReadsAHeaderWithNameCommentAndExtraField) {
  // python: gzip member with FEXTRA|FNAME|FCOMMENT, deflate "stored" block of "hello".
  using namespace std::string_literals;
  const std::string bytes = "\x1f\x8b\x08\x1c\x00\x00\x00\x00\x00\x03"s + "\x03\x00"s + "abc" + "name\0"s +
                            "comment\0"s + "\x01\x05\x00\xfa\xff"s + "hello" + "\x86\xa6\x10\x36"s +
                            "\x05\x00\x00\x00"s;
  for (const std::size_t step : {1U, 3U, 1000U}) {
    TrickleSource source{bytes, step};
    EXPECT_EQ(plain(source).value(), "hello");
  }
}

TEST(Decompress, NamesWhatItDoesNotRead) {
  const auto xz = plain(
      "\xfd"
      "7zXZ and more");
  ASSERT_FALSE(xz);
  EXPECT_EQ(xz.error().message(), "xz compression is not supported; use gzip, zstd or none");
  EXPECT_FALSE(plain("BZh91AY"));
}

TEST(Decompress, PassesTheErrorOfTheSource) {
  FailingSource source;
  const auto result = decompress(source);
  ASSERT_FALSE(result);
  EXPECT_TRUE(result.error().is(base::ErrorKind::Unavailable));
}

TEST(ReadAhead, GivesEveryByteInOrder) {
  const std::string text = sample(5'000'000);
  for (const std::size_t step : {100'000U, 5'000'000U}) {
    TrickleSource source{text, step};
    ReadAhead ahead{source};
    EXPECT_EQ(base::read_all(ahead, 1U << 30U).value(), text);
    EXPECT_EQ(ahead.next().value(), "");
  }
}

TEST(ReadAhead, EndsInTheMiddle) {
  const std::string text = sample(8'000'000);
  base::StringSource source{text};
  ReadAhead ahead{source};
  EXPECT_EQ(ahead.next()->size(), ReadAhead::kChunkBytes);
}

TEST(ReadAhead, DeliversTheFailureBehindTheBytes) {
  class Half final : public base::ByteSource {
   public:
    base::Result<std::size_t> read(std::span<char> buffer) override {
      if (std::exchange(given_, true)) return base::unavailable("gone");
      buffer[0] = 'x';
      return 1U;
    }

   private:
    bool given_ = false;
  } source;
  ReadAhead ahead{source};
  EXPECT_EQ(ahead.next().value(), "x");
  EXPECT_TRUE(ahead.next().failed_as(base::ErrorKind::Unavailable));
  EXPECT_EQ(ahead.next().value(), "");
}

TEST(Sha256, KnownAnswers) {
  EXPECT_EQ(sha256("").str(), "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc").str(), "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Sha256 hash;
  hash.update("a");
  EXPECT_EQ(hash.digest(), sha256("a"));
  hash.update("bc");
  EXPECT_EQ(hash.digest(), sha256("abc"));
  hash.reset();
  EXPECT_EQ(hash.digest(), sha256(""));
}

TEST(Sha256, OfStreams) {
  const std::string text = sample(1'000'000);
  base::StringSource inner{text};
  HashingSource source{inner};
  EXPECT_EQ(sha256(source).value(), sha256(text));
  EXPECT_EQ(source.digest(), sha256(text));
  EXPECT_EQ(source.bytes(), text.size());
}

}  // namespace
}  // namespace codec
