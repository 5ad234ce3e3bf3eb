#include "http/detail/server_exchange.h"

#include <array>

#include <fmt/format.h>

#include "http/detail/connection.h"
#include "http/detail/wire.h"

namespace http::detail {

using base::Result;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::size_t kReadBytes = 64 * 1024;
/// Larger pieces are sent from where they are.
constexpr std::size_t kCopyBytes = 16 * 1024;
/// Of a body that its handler did not read: more than this costs the connection.
constexpr std::size_t kSkipBytes = 256 * 1024;
constexpr std::chrono::seconds kSkipTime{5};

bool has_no_body(int status) { return status < 200 || status == 204 || status == 304; }

}  // namespace

ServerExchange::ServerExchange(Connection& connection, Parser parser, Request request, bool keep_alive)
    : connection_{connection},
      parser_{std::move(parser)},
      request_{std::move(request)},
      keep_alive_{keep_alive} {
  continue_wanted_ = request_.headers.find("Expect") != nullptr && !parser_.complete();
}

Result<std::size_t> ServerExchange::read_body(std::span<char> buffer) {
  if (body_failed_ || buffer.empty()) return 0;
  if (std::exchange(continue_wanted_, false) && state_ == State::Fresh) {
    TRY(send("HTTP/1.1 100 Continue\r\n\r\n"));
  }
  InputBuffer& input = connection_.input();
  while (!parser_.complete()) {
    auto count = parser_.read_body(input, buffer);
    if (!count) {
      body_failed_ = true;
      return count;
    }
    if (*count > 0) return count;
    if (parser_.complete()) break;
    const auto deadline = Clock::now() + connection_.context().options.body_timeout;
    const auto received = receive_until(connection_.transport(), input.room(kReadBytes), deadline);
    if (!received || *received == 0) {
      body_failed_ = true;
      return base::unavailable(received ? "unexpected EOF"
                                        : "read the request's body: " + received.error().message());
    }
    input.filled(*received);
  }
  if (std::exchange(watch_wanted_, false)) connection_.watch_for_hang_up();
  return 0;
}

Result<> ServerExchange::skip_body() {
  if (continue_wanted_) return base::conflict("the client still waits to send the body");
  const auto deadline = Clock::now() + kSkipTime;
  std::size_t skipped = 0;
  std::array<char, 4096> scrap{};
  while (!parser_.complete()) {
    skipped += TRY(read_body(scrap));
    if (body_failed_ || skipped > kSkipBytes || Clock::now() > deadline) {
      return base::conflict("the body was not read to its end");
    }
  }
  return {};
}

std::string ServerExchange::make_head(int status, const Headers& headers, std::string_view framing) {
  std::string head;
  head.reserve(512);
  append_status_line(head, status, reason_of(status));
  append_fields(head, headers);
  if (headers.find("Date") == nullptr) append_date(head);
  // Whether a client that waits for "100 Continue" sends its body after this is anybody's guess.
  if (connection_.context().stopping || continue_wanted_ || body_failed_) keep_alive_ = false;
  if (!keep_alive_) {
    head += "Connection: close\r\n";
  } else if (request_.minor_version == 0) {
    head += "Connection: keep-alive\r\n";
  }
  head += framing;
  head += "\r\n";
  return head;
}

Result<> ServerExchange::send(std::string_view bytes, bool more_follows) {
  auto sent = send_until(connection_.transport(), bytes, sys::kNoDeadline, more_follows);
  if (!sent) {
    state_ = State::Broken;
    return std::move(sent).context("write to the client").as(base::ErrorKind::Unavailable);
  }
  return sent;
}

Result<> ServerExchange::respond(int status, const Headers& headers, std::string_view body) {
  CAISSON_INVARIANT(state_ == State::Fresh);
  state_ = State::Finished;
  std::string framing;
  if (!has_no_body(status) && headers.find("Content-Length") == nullptr) {
    framing = fmt::format("Content-Length: {}\r\n", body.size());
  }
  std::string text = make_head(status, headers, framing);
  if (has_no_body(status) || request_.method == "HEAD") body = {};
  if (body.size() > kCopyBytes) {
    TRY(send(text, true));
    return send(body);
  }
  text += body;
  return send(text);
}

Result<> ServerExchange::begin(int status, const Headers& headers) {
  CAISSON_INVARIANT(state_ == State::Fresh);
  state_ = State::Streaming;
  bodiless_ = has_no_body(status) || request_.method == "HEAD";
  std::string_view framing;
  if (!has_no_body(status) && headers.find("Content-Length") == nullptr) {
    chunked_ = request_.minor_version == 1;
    if (chunked_) {
      framing = "Transfer-Encoding: chunked\r\n";
    } else {
      keep_alive_ = false;  // only the end of the connection can end the body
    }
  }
  return send(make_head(status, headers, framing));
}

Result<> ServerExchange::send_piece(std::string_view bytes) {
  const std::size_t size = held_back_.size() + bytes.size();
  if (size == 0 || bodiless_) return {};
  std::string text;
  if (chunked_) append_chunk_header(text, size);
  text += held_back_;
  held_back_.clear();
  const bool in_place = bytes.size() > kCopyBytes;
  if (!in_place) text += bytes;
  if (in_place) {
    TRY(send(text, true));
    TRY(send(bytes, chunked_));
    return chunked_ ? send("\r\n") : Result<>{};
  }
  if (chunked_) text += "\r\n";
  return send(text);
}

Result<> ServerExchange::write(std::string_view bytes, More more) {
  if (state_ == State::Broken) return base::unavailable("write to the client: the connection is broken");
  CAISSON_INVARIANT(state_ == State::Streaming);
  if (more == More::Yes && held_back_.size() + bytes.size() <= kCopyBytes) {
    held_back_ += bytes;
    return {};
  }
  return send_piece(bytes);
}

Result<> ServerExchange::flush() { return write({}, More::No); }

Result<> ServerExchange::finish() {
  TRY(flush());
  state_ = State::Finished;
  if (!chunked_ || bodiless_) return {};
  return send(kLastChunk);
}

Result<Upgraded> ServerExchange::hijack(int status, std::string_view reason, const Headers& headers) {
  CAISSON_INVARIANT(state_ == State::Fresh);
  continue_wanted_ = false;  // the answer is the go-ahead
  TRY(skip_body());
  std::string head;
  append_status_line(head, status, reason);
  append_fields(head, headers);
  head += "\r\n";
  TRY(send(head));
  state_ = State::Hijacked;
  Upgraded out;
  out.prefix = connection_.input().take();
  ServerContext& context = connection_.context();
  auto transport = connection_.detach();
  if (transport->is_tls()) {
    out.socket = TRY(context.bridges.add(std::move(transport)));
  } else {
    out.socket = transport->release();
    TRY(sys::set_nonblocking(out.socket.get(), false));
  }
  return out;
}

bool ServerExchange::client_gone() {
  if (state_ == State::Broken) return true;
  return state_ != State::Hijacked && parser_.complete() && connection_.hung_up();
}

std::stop_token ServerExchange::stop_token() {
  auto token = connection_.stop_token();
  if (!parser_.complete()) {
    watch_wanted_ = true;
  } else {
    connection_.watch_for_hang_up();
  }
  return token;
}

Outcome ServerExchange::settle() {
  if (state_ == State::Hijacked) return Outcome::Hijacked;
  if (state_ == State::Fresh) {
    base::ignore(respond(500, {{"Content-Type", "text/plain; charset=utf-8"}}, "Internal Server Error"),
                 "a broken connection shows in the state");
  }
  if (state_ != State::Finished) return Outcome::Broken;
  if (body_failed_ || !skip_body()) return Outcome::LastOne;
  return keep_alive_ ? Outcome::KeepAlive : Outcome::LastOne;
}

}  // namespace http::detail
