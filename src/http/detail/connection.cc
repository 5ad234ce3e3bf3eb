#include "http/detail/connection.h"

#include "base/log.h"
#include "base/strings.h"
#include "http/detail/server_exchange.h"
#include "http/detail/wire.h"

namespace http::detail {

using base::Result;
using Clock = std::chrono::steady_clock;

namespace {

/// Docker's clients send heads of a few hundred bytes; bodies are read in larger pieces.
constexpr std::size_t kReadBytes = 4 * 1024;
/// How long a thread stays with its connection after a response: the next request of a client that
/// makes several then finds it there, without a way through the reactor.
constexpr std::chrono::milliseconds kLinger{10};
constexpr int kMaxLingering = 8;
/// How long a client may go on sending after a response that ends the connection. Closing at once
/// would reset the connection and could destroy the response on its way.
constexpr std::chrono::seconds kDrainTime{2};
constexpr std::size_t kDrainBytes = std::size_t{32} << 20U;

}  // namespace

void ServerContext::leave(Reactor::Token token) {
  reactor->remove(token);
  if (!table.remove(token)) return;
  // At once: the connection that waits is accepted already, so no event announces it.
  for (const auto acceptor : acceptors) reactor->arm(acceptor, 0, Clock::now());
}

Connection::Connection(ServerContext& context, std::unique_ptr<Transport> transport, Peer peer)
    : context_{context},
      peer_{std::move(peer)},
      transport_{std::move(transport)},
      head_deadline_{Clock::now() + context.options.head_timeout} {}

Result<> Connection::open() {
  token_ = TRY(context_.reactor->add(transport_->fd(), shared_from_this()));
  context_.table.add(token_, shared_from_this());
  park(Want::Read, head_deadline_, Idle::Yes);
  return {};
}

void Connection::on_ready(std::uint32_t events) {
  {
    const std::lock_guard lock{mutex_};
    if (mode_ == Mode::Parked) {
      mode_ = Mode::Busy;
      context_.table.busy(token_);
      context_.pool->submit(shared_from_this());
      return;
    }
    if (mode_ != Mode::Busy || (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) == 0) return;
  }
  request_stop();
}

void Connection::run() {
  while (advance() == Next::Again) {
  }
}

Connection::Next Connection::advance() {
  if (draining_) return drain_before_close();
  if (!handshaken_) return advance_handshake();
  return advance_head();
}

Connection::Next Connection::advance_handshake() {
  const auto step = transport_->handshake();
  if (!step) {
    base::log::debug("{}: {}", peer_.address, step.error().message());
    return close();
  }
  if (step->want != Want::Nothing) return park(step->want, head_deadline_, Idle::No);
  handshaken_ = true;
  return Next::Again;
}

Connection::Next Connection::advance_head() {
  if (input_.empty()) return receive_more();
  if (!parser_) {
    parser_ = Parser::request(context_.options.max_head);
    head_deadline_ = Clock::now() + context_.options.head_timeout;
  }
  const auto complete = parser_->read_head(input_);
  if (!complete) return refuse(parser_->refusal());
  if (!*complete) return receive_more();
  return serve();
}

Connection::Next Connection::receive_more() {
  const auto room = input_.room(kReadBytes);
  auto step = transport_->receive(room);
  const bool between_requests = !parser_;
  if (step && step->want == Want::Read && between_requests && context_.lingering < kMaxLingering &&
      context_.pool->has_spare() && !context_.stopping) {
    ++context_.lingering;
    const auto ready = sys::wait_ready(transport_->fd(), POLLIN, Clock::now() + kLinger);
    --context_.lingering;
    if (ready && *ready) step = transport_->receive(room);
  }
  if (!step) return close();
  if (step->want != Want::Nothing) {
    if (!between_requests) return park(step->want, head_deadline_, Idle::No);
    input_.release_memory();
    return park(step->want, Clock::now() + context_.options.idle_timeout, Idle::Yes);
  }
  if (step->count == 0) return close();
  input_.filled(step->count);
  return Next::Again;
}

Connection::Next Connection::serve() {
  const bool keep_alive = parser_->keep_alive() && !context_.stopping;
  Request request;
  Head& head = parser_->head();
  request.method = std::move(head.method);
  request.target = std::move(head.target);
  request.headers = std::move(head.headers);
  request.minor_version = head.minor_version;
  request.peer = peer_.credentials;
  request.remote_address = peer_.address;
  if (transport_->is_tls()) request.tls_subject = transport_->peer_subject();
  if (!read_target(request)) return refuse(400);
  if (request.minor_version == 1 && request.headers.find("Host") == nullptr) return refuse(400);
  if (const auto* expect = request.headers.find("Expect");
      expect != nullptr && !base::equal_ignoring_case(*expect, "100-continue")) {
    return refuse(417);
  }

  input_.release_memory();  // a handler may wait for hours
  ServerExchange exchange{*this, *std::exchange(parser_, std::nullopt), std::move(request), keep_alive};
  try {
    context_.handler.handle(exchange);
  } catch (const std::exception& failure) {
    base::log::error("{} {}: {}", exchange.request().method, exchange.request().path, failure.what());
  }
  const Outcome outcome = exchange.settle();
  {
    const std::lock_guard lock{mutex_};
    stop_.reset();
  }
  switch (outcome) {
    case Outcome::Hijacked: return Next::Done;
    case Outcome::Broken: return close();
    case Outcome::LastOne: return start_drain();
    case Outcome::KeepAlive: return Next::Again;
  }
  return close();
}

Connection::Next Connection::refuse(int status) {
  std::string text;
  append_status_line(text, status, reason_of(status));
  text += "Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n";
  text += std::to_string(status) + " " + std::string{reason_of(status)};
  base::ignore(send_until(*transport_, text, Clock::now() + kDrainTime), "the connection ends in any case");
  return start_drain();
}

Connection::Next Connection::start_drain() {
  transport_->close_write();
  draining_ = true;
  drain_deadline_ = Clock::now() + kDrainTime;
  return Next::Again;
}

Connection::Next Connection::drain_before_close() {
  input_.consume(input_.view().size());
  while (Clock::now() < drain_deadline_ && drained_ < kDrainBytes) {
    const auto step = transport_->receive(input_.room(kReadBytes));
    if (!step || (step->want == Want::Nothing && step->count == 0)) break;
    drained_ += step->count;
    if (step->want != Want::Nothing) return park(step->want, drain_deadline_, Idle::No);
  }
  return close();
}

Connection::Next Connection::park(Want want, sys::Deadline deadline, Idle idle) {
  {
    const std::lock_guard lock{mutex_};
    if (!context_.stopping && !aborted_) {
      mode_ = Mode::Parked;
      context_.table.parked(token_, idle);
      // Under the lock: nobody may park or close it in between.
      context_.reactor->arm(token_, want == Want::Write ? EPOLLOUT : EPOLLIN, deadline);
      return Next::Done;
    }
  }
  return close();
}

Connection::Next Connection::close() {
  {
    const std::lock_guard lock{mutex_};
    mode_ = Mode::Closed;
  }
  context_.leave(token_);
  return Next::Done;
}

void Connection::close_if_parked() {
  {
    const std::lock_guard lock{mutex_};
    if (mode_ != Mode::Parked) return;
    mode_ = Mode::Closed;
  }
  context_.leave(token_);
}

void Connection::close_if_silent() {
  {
    const std::lock_guard lock{mutex_};
    if (mode_ != Mode::Parked) return;
    if (const auto ready = sys::wait_ready(transport_->fd(), POLLIN, Clock::now()); ready && *ready) return;
    mode_ = Mode::Closed;
  }
  context_.leave(token_);
}

void Connection::request_stop() {
  std::optional<std::stop_source> stop;
  {
    const std::lock_guard lock{mutex_};
    stop = stop_;
  }
  if (stop) stop->request_stop();  // without the lock: it calls the handler's callbacks
}

void Connection::abort() {
  {
    const std::lock_guard lock{mutex_};
    if (mode_ != Mode::Busy) return;
    aborted_ = true;
    sys::shut_down(transport_->fd(), sys::Direction::Both);
  }
  request_stop();
}

std::stop_token Connection::stop_token() {
  std::stop_source source;
  {
    const std::lock_guard lock{mutex_};
    if (!stop_) stop_.emplace();
    source = *stop_;
  }
  if (context_.stopping) source.request_stop();
  return source.get_token();
}

void Connection::watch_for_hang_up() { context_.reactor->arm(token_, EPOLLRDHUP, sys::kNoDeadline); }

bool Connection::hung_up() {
  const auto gone = sys::wait_ready(transport_->fd(), POLLRDHUP, Clock::now());
  return !gone || *gone;
}

std::unique_ptr<Transport> Connection::detach() {
  std::unique_ptr<Transport> transport;
  {
    const std::lock_guard lock{mutex_};
    mode_ = Mode::Closed;
  }
  context_.leave(token_);
  // Only an abort looks at the transport from outside, and it no longer does.
  return std::move(transport_);
}

}  // namespace http::detail
