#include "http/websocket.h"

#include <algorithm>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "base/strings.h"
#include "sys/socket.h"
#include "sys/stream_socket.h"

namespace http {
namespace {

/// A client's frame: masked.
std::string frame(unsigned first, std::string_view payload) {
  std::string out{static_cast<char>(first)};
  if (payload.size() < 126) {
    out += static_cast<char>(0x80U | payload.size());
  } else {
    const unsigned bytes = payload.size() <= 0xffff ? 2 : 8;
    out += static_cast<char>(0x80U | (bytes == 2 ? 126U : 127U));
    for (unsigned i = bytes; i-- > 0;) out += static_cast<char>(payload.size() >> (8 * i) & 0xffU);
  }
  constexpr std::string_view kMask = "\x12\x34\x56\x78";
  out += kMask;
  for (std::size_t i = 0; i < payload.size(); ++i) out += static_cast<char>(payload[i] ^ kMask[i % 4]);
  return out;
}

TEST(WebSocket, AcceptIsTheStandardsExample) {
  EXPECT_EQ(websocket_accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(WebSocket, FramesInAnyPieces) {
  const std::string big(70'000, 'b');
  const std::string input = frame(0x82, "one") + frame(0x01, "t") + frame(0x89, "ping") + frame(0x00, "w") + frame(0x80, "o") +
                            frame(0x81, "") + frame(0x82, big) + frame(0x8a, "late pong") + frame(0x88, "\x03\xe8");
  for (const std::size_t step : {std::size_t{1}, std::size_t{3}, std::size_t{1000}, input.size()}) {
    WebSocketReader reader;
    std::string payload, replies;
    bool closed = false;
    for (std::size_t at = 0; at < input.size(); at += step) {
      const auto out = reader.feed(std::string_view{input}.substr(at, step));
      ASSERT_TRUE(out);
      payload += out->payload;
      replies += out->replies;
      closed = closed || out->closed;
    }
    EXPECT_EQ(payload, "onetwo" + big);
    EXPECT_EQ(replies, "\x8a\x04ping");
    EXPECT_TRUE(closed);
  }
}

TEST(WebSocket, MalformedFramesEndIt) {
  const std::string unmasked = std::string{"\x82\x01"} + "x" + std::string(8, 'y');
  const std::string long_form = std::string{"\x82\xfe", 2} + std::string("\x00\x05", 2) + std::string(4, 'm') + "hello";
  std::string huge{"\x82\xff", 2};
  huge += std::string(8, '\xff') + std::string(4, 'm');
  EXPECT_FALSE(WebSocketReader{}.feed("\x82\x01x")) << "without waiting for more";
  for (const std::string& input : {unmasked, long_form, huge, frame(0xc2, "x"), frame(0x83, "x"), frame(0x8b, "x"), frame(0x80, "x"),
                                   frame(0x09, "x"), frame(0x89, std::string(126, 'p')), frame(0x01, "a") + frame(0x81, "b")}) {
    EXPECT_FALSE(WebSocketReader{}.feed(input)) << base::to_hex({reinterpret_cast<const std::uint8_t*>(input.data()), 4});
  }
}

TEST(WebSocket, FramesToTheClientHaveTheShortestLength) {
  for (const auto& [size, head] : {std::pair{std::size_t{125}, 2U}, {std::size_t{126}, 4U}, {std::size_t{65535}, 4U}, {std::size_t{65536}, 10U}}) {
    std::string out;
    append_binary_frame(out, std::string(size, 'x'));
    EXPECT_EQ(out.size(), size + head);
    EXPECT_EQ(static_cast<unsigned char>(out[0]), 0x82U);
  }
}

std::string read_all(int socket) {
  std::string out;
  char buffer[4096];
  while (true) {
    if (!sys::wait_ready(socket, POLLIN, std::chrono::steady_clock::now() + std::chrono::seconds{20}).value_or(false)) return out;
    const auto count = sys::receive_now(socket, buffer);
    if (!count || (*count && **count == 0)) return out;
    if (*count) out.append(buffer, **count);
  }
}

void write_all(int socket, std::string_view text) {
  while (!text.empty()) {
    if (!sys::wait_ready(socket, POLLOUT, std::chrono::steady_clock::now() + std::chrono::seconds{20}).value_or(false)) return;
    const auto count = sys::send_now(socket, text);
    if (!count) return;
    text.remove_prefix(count->value_or(0));
  }
}

TEST(WebSocket, BridgeCopiesBothWaysAndEndsWithTheStream) {
  auto client = sys::make_socket_pair(SOCK_STREAM).value();
  auto stream = sys::make_socket_pair(SOCK_STREAM).value();
  base::Result<> done;
  std::thread bridge{[&] { done = bridge_websocket({std::move(client.second), frame(0x82, "early ")}, std::move(stream.second)); }};
  write_all(client.first.get(), frame(0x81, "input"));
  char buffer[64];
  std::string got;
  while (got.size() < 11 && sys::wait_ready(stream.first.get(), POLLIN, std::chrono::steady_clock::now() + std::chrono::seconds{20}).value_or(false)) {
    const auto count = sys::receive_now(stream.first.get(), buffer);
    if (count && *count) got.append(buffer, **count);
  }
  EXPECT_EQ(got, "early input");
  const std::string output(1'000'000, 'o');
  std::thread writer{[&] {
    write_all(stream.first.get(), output);
    stream.first.reset();
  }};
  const std::string frames = read_all(client.first.get());
  writer.join();
  bridge.join();
  EXPECT_TRUE(done);
  EXPECT_TRUE(frames.ends_with(std::string{"\x88\x02\x03\xe8", 4}));
  EXPECT_EQ(static_cast<std::size_t>(std::count(frames.begin(), frames.end(), 'o')), output.size());
}

TEST(WebSocket, BridgeEndsWithTheClient) {
  for (const bool polite : {true, false}) {
    auto client = sys::make_socket_pair(SOCK_STREAM).value();
    auto stream = sys::make_socket_pair(SOCK_STREAM).value();
    base::Result<> done;
    std::thread bridge{[&] { done = bridge_websocket({std::move(client.second), ""}, std::move(stream.second)); }};
    if (polite) {
      write_all(client.first.get(), frame(0x88, ""));
      EXPECT_EQ(read_all(client.first.get()), (std::string{"\x88\x02\x03\xe8", 4}));
    } else {
      client.first.reset();
    }
    bridge.join();
    EXPECT_EQ(done.has_value(), polite);
    EXPECT_EQ(read_all(stream.first.get()), "") << "the stream is closed, too";
  }
}

}  // namespace
}  // namespace http
