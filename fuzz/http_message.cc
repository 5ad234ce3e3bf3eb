/// Heads, chunks and upgrades: whatever comes, in whatever pieces, the parser reads the same message
/// (or refuses it), stays within its limits and leaves what follows the message alone.
///
/// Input: a byte whose lowest bit says request or response, a byte with the size of the pieces, the stream.

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "http/detail/input_buffer.h"
#include "http/detail/parser.h"
#include "http/detail/wire.h"

namespace {

using http::detail::InputBuffer;
using http::detail::Parser;

constexpr std::size_t kMaxHead = 16 * 1024;

struct Reading {
  bool refused = false;
  bool complete = false;
  std::string start;  ///< of the head
  std::string body;
  std::string rest;  ///< after the message
};

void require(bool condition) {
  if (!condition) std::abort();
}

void feed(InputBuffer& in, std::string_view bytes) {
  if (bytes.empty()) return;
  std::memcpy(in.room(bytes.size()).data(), bytes.data(), bytes.size());
  in.filled(bytes.size());
}

Reading read(bool request, std::string_view stream, std::size_t piece) {
  Parser parser = request ? Parser::request(kMaxHead) : Parser::response(kMaxHead, false);
  InputBuffer in;
  Reading out;
  bool head = false;
  std::string buffer(7, '\0');
  while (true) {
    if (!head) {
      const auto done = parser.read_head(in);
      if (!done) {
        require(parser.refusal() >= 400 && parser.refusal() < 600);
        out.refused = true;
        return out;
      }
      head = *done;
      if (head)
        out.start = parser.head().method + parser.head().target + std::to_string(parser.head().status);
    }
    while (head && !parser.complete()) {
      const auto count = parser.read_body(in, buffer);
      if (!count) {
        out.refused = true;
        return out;
      }
      require(*count <= buffer.size());
      if (*count == 0) break;
      out.body.append(buffer, 0, *count);
    }
    if (head && parser.complete()) {
      out.complete = true;
      out.rest = std::string{in.view()} + std::string{stream};
      if (const auto length = parser.length()) require(out.body.size() == *length);
      return out;
    }
    if (stream.empty()) {
      out.complete = head && parser.end_of_input().has_value();
      return out;
    }
    feed(in, stream.substr(0, piece));
    stream.remove_prefix(std::min(piece, stream.size()));
  }
}

void check_target(std::string_view stream) {
  http::Request request;
  request.target = stream.substr(0, stream.find('\r'));
  if (!http::detail::read_target(request)) return;
  require(!request.path.empty());
  // What was decoded survives another round.
  const auto again = http::Query::parse(request.query.encode());
  require(again.error().empty());
  require(std::equal(request.query.begin(), request.query.end(), again.begin(), again.end()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const bool request = (data[0] & 1U) != 0;
  const std::size_t piece = 1U + data[1];
  const std::string_view stream{reinterpret_cast<const char*>(data + 2), size - 2};
  const Reading whole = read(request, stream, stream.size() + 1);
  const Reading pieces = read(request, stream, piece);
  // What is refused in one way may be seen later in the other, but never be a message there.
  if (whole.refused != pieces.refused) require(!whole.complete && !pieces.complete);
  if (!whole.refused && !pieces.refused) {
    require(whole.complete == pieces.complete);
    require(whole.start == pieces.start);
    require(whole.body == pieces.body);
    require(whole.rest == pieces.rest);
  }
  check_target(stream);
  return 0;
}
