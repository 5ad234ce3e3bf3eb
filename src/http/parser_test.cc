#include "http/detail/parser.h"

#include <cstring>

#include <gtest/gtest.h>

namespace http::detail {
namespace {

void feed(InputBuffer& in, std::string_view text) {
  if (text.empty()) return;
  std::memcpy(in.room(text.size()).data(), text.data(), text.size());
  in.filled(text.size());
}

/// Head and body of one message that comes in pieces of `piece` bytes; reads at most `window` bytes at a
/// time.
std::string parse_in_pieces(std::string_view text, std::size_t piece, std::size_t window) {
  Parser parser = Parser::request(4096);
  InputBuffer in;
  std::string out;
  bool head = false;
  std::string buffer(window, '\0');
  while (true) {
    if (!head) {
      const auto done = parser.read_head(in);
      if (!done) return done.error().message();
      head = *done;
      if (head) out = parser.head().method + " " + parser.head().target + " ";
    }
    while (head && !parser.complete()) {
      const auto count = parser.read_body(in, buffer);
      if (!count) return count.error().message();
      if (*count == 0) break;
      out.append(buffer, 0, *count);
    }
    if (head && parser.complete()) return out + "|" + std::string{in.view()} + std::string{text};
    if (text.empty()) return out + "(more)";
    feed(in, text.substr(0, piece));
    text.remove_prefix(std::min(piece, text.size()));
  }
}

TEST(Parser, GivesTheSameWhateverThePieces) {
  const std::pair<std::string, std::string> kGolden[] = {
      {"GET /a HTTP/1.1\r\nHost: x\r\n\r\nrest", "GET /a |rest"},
      {"POST /b HTTP/1.1\r\nContent-Length: 5\r\n\r\nhellorest", "POST /b hello|rest"},
      {"POST /c HTTP/1.1\r\nTransfer-Encoding: "
       "chunked\r\n\r\n5\r\nhello\r\nA;x=y\r\n0123456789\r\n0\r\n\r\nrest",
       "POST /c hello0123456789|rest"},
      {"POST /c HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\nTrailer: x\r\n\r\n", "POST /c |"},
      {"POST /d HTTP/1.1\r\nContent-Length: 5\r\n\r\nhel", "POST /d hel(more)"},
  };
  for (const auto& [text, expected] : kGolden) {
    for (std::size_t piece = 1; piece <= text.size(); ++piece) {
      for (const std::size_t window : {1U, 3U, 1000U}) {
        EXPECT_EQ(parse_in_pieces(text, piece, window), expected) << "in pieces of " << piece;
      }
    }
  }
}

TEST(Parser, AHeadIsLimitedHoweverItComes) {
  std::string text = "GET / HTTP/1.1\r\n";
  for (int i = 0; i < 1000; ++i) text += "A: b\r\n";
  for (const std::size_t piece : {1U, 7U, 100U, 100'000U}) {
    EXPECT_EQ(parse_in_pieces(text + "\r\n", piece, 10), "malformed HTTP message: header limit exceeded");
  }
}

TEST(Parser, ChunkFramingIsLimited) {
  const std::string head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(parse_in_pieces(head + "1;" + std::string(100'000, 'x'), 1000, 10),
            "malformed HTTP message: endless chunk header");
  EXPECT_EQ(parse_in_pieces(head + "0\r\n" + std::string(100'000, 'x'), 1000, 10),
            "malformed HTTP message: endless chunk header");
}

TEST(Parser, AResponseMayEndWithTheStream) {
  Parser parser = Parser::response(4096, false);
  InputBuffer in;
  feed(in, "HTTP/1.1 200 OK\r\n\r\nall");
  ASSERT_TRUE(*parser.read_head(in));
  EXPECT_TRUE(parser.ends_with_stream());
  EXPECT_EQ(parser.length(), std::nullopt);
  std::string buffer(100, '\0');
  EXPECT_EQ(parser.read_body(in, buffer).value(), 3U);
  EXPECT_FALSE(parser.complete());
  EXPECT_TRUE(parser.end_of_input());
}

TEST(Parser, LengthsOfBodies) {
  const std::pair<std::string, std::optional<std::uint64_t>> kGolden[] = {
      {"GET / HTTP/1.1\r\n\r\n", 0},
      {"POST / HTTP/1.1\r\nContent-Length: 7\r\n\r\n", 7},
      {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", std::nullopt},
  };
  for (const auto& [text, length] : kGolden) {
    Parser parser = Parser::request(4096);
    InputBuffer in;
    feed(in, text);
    ASSERT_TRUE(*parser.read_head(in)) << text;
    EXPECT_EQ(parser.length(), length);
  }
}

}  // namespace
}  // namespace http::detail
