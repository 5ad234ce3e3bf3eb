#include "http/websocket.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include <openssl/evp.h>

#include "base/strings.h"
#include "sys/stream_socket.h"

namespace http {

using base::Result;

namespace {

constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::size_t kKeyBytes = 16;
constexpr std::size_t kControlLimit = 125;
constexpr std::size_t kPiece = std::size_t{32} << 10U;

constexpr std::uint8_t kContinuation = 0, kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10;

bool is_control(std::uint8_t opcode) { return opcode >= kClose; }

void append_frame(std::string& out, std::uint8_t opcode, std::string_view payload) {
  out += static_cast<char>(0x80U | opcode);
  const std::size_t size = payload.size();
  if (size < 126) {
    out += static_cast<char>(size);
  } else {
    const unsigned bytes = size <= 0xffff ? 2 : 8;
    out += static_cast<char>(bytes == 2 ? 126 : 127);
    for (unsigned i = bytes; i-- > 0;) out += static_cast<char>(size >> (8 * i) & 0xffU);
  }
  out += payload;
}

/// Bytes of the head that begins with these two.
std::size_t head_size(std::string_view head) {
  if (head.size() < 2) return 2;
  const unsigned size = static_cast<std::uint8_t>(head[1]) & 0x7fU;
  return 2U + (size == 126 ? 2U : size == 127 ? 8U : 0U) + 4U;
}

}  // namespace

std::string websocket_accept(std::string_view key) {
  std::string text{key};
  text += kGuid;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  CAISSON_INVARIANT(EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr) == 1);
  return base::base64({reinterpret_cast<const char*>(digest.data()), size});
}

Result<Upgraded> accept_websocket(Exchange& exchange) {
  const Headers& headers = exchange.request().headers;
  if (!headers.has_token("Connection", "upgrade") || !headers.has_token("Upgrade", "websocket")) {
    return base::invalid("bad handshake: this endpoint speaks WebSocket only");
  }
  if (headers.get("Sec-WebSocket-Version") != "13") return base::invalid("bad handshake: Sec-WebSocket-Version must be 13");
  const auto key = headers.get("Sec-WebSocket-Key");
  if (const auto decoded = base::base64_decode(key); !decoded || decoded->size() != kKeyBytes) {
    return base::invalid("bad handshake: Sec-WebSocket-Key must be 16 bytes in base64");
  }
  return exchange.hijack(101, "Switching Protocols",
                         {{"Upgrade", "websocket"}, {"Connection", "Upgrade"}, {"Sec-WebSocket-Accept", websocket_accept(key)}});
}

/// True when the head is complete and makes sense.
Result<bool> WebSocketReader::read_head(std::string_view& bytes) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(head_[i]); };
  for (std::size_t want = head_size(head_); head_.size() < want; want = head_size(head_)) {
    const std::size_t count = std::min(want - head_.size(), bytes.size());
    if (count == 0) return false;
    head_ += bytes.substr(0, count);
    bytes.remove_prefix(count);
    // At once: one who does not mask may never send what a mask would take.
    if (head_.size() < 2) continue;
    if ((byte(0) & 0x70U) != 0) return base::invalid("websocket: reserved bits are set");
    if ((byte(1) & 0x80U) == 0) return base::invalid("websocket: a frame without a mask");
  }
  const bool last = (byte(0) & 0x80U) != 0;
  const std::uint8_t opcode = byte(0) & 0x0fU;
  std::uint64_t size = byte(1) & 0x7fU;
  const std::size_t extended = head_.size() - 6;
  if (extended > 0) {
    size = 0;
    for (std::size_t i = 0; i < extended; ++i) size = size << 8U | byte(2 + i);
    if (size < (extended == 2 ? 126U : 65536U) || size >> 63U != 0) return base::invalid("websocket: a malformed length");
  }
  if (is_control(opcode)) {
    if (opcode > kPong) return base::invalid("websocket: an unknown opcode");
    if (!last || size > kControlLimit) return base::invalid("websocket: a control frame that is too long or fragmented");
  } else {
    if (opcode > kBinary) return base::invalid("websocket: an unknown opcode");
    if ((opcode == kContinuation) != in_message_) return base::invalid("websocket: a fragment out of order");
    in_message_ = !last;
  }
  opcode_ = opcode;
  left_ = size;
  at_ = 0;
  for (std::size_t i = 0; i < 4; ++i) mask_[i] = byte(head_.size() - 4 + i);
  head_.clear();
  return true;
}

void WebSocketReader::read_payload(std::string_view& bytes, Output& out) {
  std::string& target = is_control(opcode_) ? control_ : out.payload;
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
  for (const char c : bytes.substr(0, count)) target += static_cast<char>(static_cast<std::uint8_t>(c) ^ mask_[at_++ % 4]);
  bytes.remove_prefix(count);
  left_ -= count;
}

void WebSocketReader::end_of_control(Output& out) {
  if (opcode_ == kPing) append_frame(out.replies, kPong, control_);
  if (opcode_ == kClose) out.closed = true;
  control_.clear();
}

Result<WebSocketReader::Output> WebSocketReader::feed(std::string_view bytes) {
  Output out;
  while (!out.closed) {
    if (state_ == State::Head) {
      if (!TRY(read_head(bytes))) return out;
      state_ = State::Payload;
    }
    read_payload(bytes, out);
    if (left_ > 0) return out;
    if (is_control(opcode_)) end_of_control(out);
    state_ = State::Head;
  }
  return out;
}

void append_binary_frame(std::string& out, std::string_view payload) { append_frame(out, kBinary, payload); }

void append_close_frame(std::string& out, WebSocketReader::Closing code) {
  const auto number = static_cast<std::uint16_t>(code);
  const std::array<char, 2> payload{static_cast<char>(number >> 8U), static_cast<char>(number & 0xffU)};
  append_frame(out, kClose, {payload.data(), payload.size()});
}

namespace {

/// One direction: what waits to be written, and whether more will come.
struct Flow {
  std::string waiting;
  bool ended = false;  ///< nothing more will be put in

  [[nodiscard]] bool wants_more() const { return !ended && waiting.size() < kPiece; }
};

class Bridge {
 public:
  Bridge(Upgraded websocket, sys::UniqueFd stream) : websocket_{std::move(websocket.socket)}, stream_{std::move(stream)} {
    if (!websocket.prefix.empty()) take_from_client(websocket.prefix);
  }

  Result<> run() {
    while (!is_done()) {
      std::array<sys::PollItem, 2> items{
          sys::PollItem{websocket_.get(), events(reads_client(), to_client_)},
          sys::PollItem{stream_open_ ? stream_.get() : -1, events(to_client_.wants_more(), to_stream_)}};
      // A side that neither has something nor takes something is not looked at: a hang-up would be told for ever.
      for (auto& item : items) {
        if (item.events == 0) item.fd = -1;
      }
      TRY(sys::wait_any(items, sys::kNoDeadline));
      if (items[0].ready != 0) TRY(serve_client());
      if (items[1].ready != 0) TRY(serve_stream());
    }
    return {};
  }

 private:
  static short events(bool reads, const Flow& to_here) {
    return static_cast<short>((reads ? POLLIN : 0) | (to_here.waiting.empty() ? 0 : POLLOUT));
  }

  /// Both have what was meant for them.
  [[nodiscard]] bool is_done() const {
    return to_client_.ended && to_client_.waiting.empty() && (to_stream_.waiting.empty() || !stream_open_);
  }
  /// Not while pongs pile up that it does not read.
  [[nodiscard]] bool reads_client() const { return to_stream_.wants_more() && to_client_.waiting.size() <= 2 * kPiece; }

  /// Sends what it takes.
  static Result<> write_some(int socket, Flow& flow) {
    if (flow.waiting.empty()) return {};
    const auto count = TRY(sys::send_now(socket, flow.waiting));
    if (count) flow.waiting.erase(0, *count);
    return {};
  }

  Result<> serve_client() {
    if (reads_client()) {
      const auto count = TRY(sys::receive_now(websocket_.get(), buffer_));
      if (count && *count == 0) return base::unavailable("websocket: the client is gone");
      if (count) take_from_client({buffer_.data(), *count});
    }
    return write_some(websocket_.get(), to_client_);
  }

  void take_from_client(std::string_view bytes) {
    auto out = reader_.feed(bytes);
    if (!out) return say_good_bye(WebSocketReader::Closing::ProtocolError);
    to_stream_.waiting += out->payload;
    if (!to_client_.ended) to_client_.waiting += out->replies;
    if (out->closed) say_good_bye(WebSocketReader::Closing::Normal);
  }

  void say_good_bye(WebSocketReader::Closing code) {
    to_stream_.ended = true;
    if (std::exchange(to_client_.ended, true)) return;
    append_close_frame(to_client_.waiting, code);
  }

  Result<> serve_stream() {
    if (const auto written = write_some(stream_.get(), to_stream_); !written) {
      to_stream_.waiting.clear();  // the container no longer reads: it may still write
      to_stream_.ended = true;
    }
    if (!to_client_.wants_more()) return {};
    const auto count = sys::receive_now(stream_.get(), buffer_);
    if (count && !*count) return {};
    if (!count || **count == 0) {
      stream_open_ = false;
      say_good_bye(WebSocketReader::Closing::Normal);
      return {};
    }
    append_binary_frame(to_client_.waiting, {buffer_.data(), **count});
    return {};
  }

  sys::UniqueFd websocket_, stream_;
  bool stream_open_ = true;
  WebSocketReader reader_;
  Flow to_stream_, to_client_;
  std::array<char, kPiece> buffer_{};
};

}  // namespace

Result<> bridge_websocket(Upgraded websocket, sys::UniqueFd stream) {
  const auto bridge = std::make_unique<Bridge>(std::move(websocket), std::move(stream));
  return bridge->run();
}

}  // namespace http
