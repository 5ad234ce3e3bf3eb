#pragma once
/// WebSocket on the server's side, as far as attach needs it: the handshake, frames as a pure state machine, and a
/// bridge between a WebSocket and a plain stream. Source: RFC 6455.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/exchange.h"

namespace http {

/// "258EAFA5-…" hashed with the client's key: RFC 6455, 4.2.2.
[[nodiscard]] std::string websocket_accept(std::string_view key);

/// Checks the request's handshake, answers 101 and takes the connection. Errors: InvalidArgument, before any answer:
/// no upgrade to websocket, another version than 13, a key that is no 16 bytes.
base::Result<Upgraded> accept_websocket(Exchange& exchange);

/// What the client sends. Bytes in, payload out; a payload is passed on as it comes, so a message of any length costs
/// no memory. Errors end the connection.
class WebSocketReader {
 public:
  enum class Closing : std::uint16_t { Normal = 1000, ProtocolError = 1002 };

  /// What came out of some input.
  struct Output {
    std::string payload;     ///< of text and binary messages
    std::string replies;     ///< frames to send back: pongs
    bool closed = false;     ///< the client said good-bye
  };
  /// Errors: InvalidArgument: a frame without a mask, reserved bits or an unknown opcode, a fragment out of order, a
  /// control frame that is fragmented or longer than 125 bytes, a length that is not the shortest form or beyond 63 bits.
  base::Result<Output> feed(std::string_view bytes);

 private:
  enum class State : std::uint8_t { Head, Payload };

  base::Result<bool> read_head(std::string_view& bytes);
  void read_payload(std::string_view& bytes, Output& out);
  void end_of_control(Output& out);

  State state_ = State::Head;
  std::string head_;     ///< of the frame that is under way, at most 14 bytes
  std::string control_;  ///< payload of the control frame that is under way
  std::uint64_t left_ = 0;
  std::uint64_t at_ = 0;  ///< in the payload, for the mask
  std::uint8_t mask_[4] = {};
  std::uint8_t opcode_ = 0;
  bool in_message_ = false;  ///< a continuation is allowed
};

/// One unmasked frame with `payload` as a whole binary message.
void append_binary_frame(std::string& out, std::string_view payload);
void append_close_frame(std::string& out, WebSocketReader::Closing code);

/// Copies between the WebSocket and `stream` until one of them ends: what the client sends goes to the stream, what
/// the stream gives becomes binary messages. Holds at most 64 KiB per direction; a side that does not read is waited
/// for. Closes both.
base::Result<> bridge_websocket(Upgraded websocket, sys::UniqueFd stream);

}  // namespace http
