/// WebSocket frames of a client: whatever comes, in whatever pieces, the same payload comes out or the same stream is
/// refused; nothing is held but the head of a frame and a control frame's payload.
///
/// Input: a byte with the size of the pieces, the stream.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "http/websocket.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

struct Reading {
  bool refused = false, closed = false;
  std::string payload, replies;
};

Reading read(std::string_view stream, std::size_t piece) {
  http::WebSocketReader reader;
  Reading out;
  while (!stream.empty() && !out.closed) {
    const auto part = stream.substr(0, piece);
    stream.remove_prefix(part.size());
    const auto step = reader.feed(part);
    if (!step) {
      out.refused = true;
      return out;
    }
    require(step->payload.size() <= part.size());
    out.payload += step->payload;
    out.replies += step->replies;
    out.closed = step->closed;
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view stream{reinterpret_cast<const char*>(data + 1), size - 1};
  const Reading whole = read(stream, stream.size() + 1);
  const Reading pieces = read(stream, 1U + data[0]);
  require(whole.refused == pieces.refused);
  // What came before a refusal is passed on as far as it went; of the whole stream nothing did.
  if (!whole.refused) require(whole.payload == pieces.payload && whole.replies == pieces.replies && whole.closed == pieces.closed);
  return 0;
}
