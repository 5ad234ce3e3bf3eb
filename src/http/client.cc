#include "http/client.h"

#include <mutex>
#include <vector>

#include <fmt/format.h>

#include "base/strings.h"
#include "http/detail/parser.h"
#include "http/detail/tls_bridge.h"
#include "http/detail/transport.h"
#include "http/detail/wire.h"

namespace http {

using base::Result;
using detail::InputBuffer;
using detail::Parser;
using detail::Transport;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::size_t kReadBytes = 64 * 1024;
constexpr std::size_t kMaxHead = 1024 * 1024;
constexpr std::size_t kMaxIdle = 4;
/// What is left of an unread body, at most, for the connection to be worth keeping.
constexpr std::size_t kSkipBytes = 64 * 1024;

struct Link {
  std::unique_ptr<Transport> transport;
  InputBuffer input;
  bool used = false;  ///< served a call before
};

sys::Deadline after(std::chrono::milliseconds time) {
  return time.count() == 0 ? sys::kNoDeadline : Clock::now() + time;
}

std::string make_head(const Call& call, const Headers& defaults, std::string_view host) {
  std::string head;
  head.reserve(512);
  fmt::format_to(std::back_inserter(head), "{} {} HTTP/1.1\r\n", call.method, call.target);
  if (call.headers.find("Host") == nullptr) detail::append_field(head, "Host", host);
  for (const auto& [name, value] : defaults) {
    if (call.headers.find(name) == nullptr) detail::append_field(head, name, value);
  }
  detail::append_fields(head, call.headers);
  if (call.upgrade) head += "Connection: Upgrade\r\nUpgrade: tcp\r\n";
  if (call.stream != nullptr) {
    head += "Transfer-Encoding: chunked\r\n";
  } else if (!call.body.empty() || (call.method != "GET" && call.method != "HEAD")) {
    fmt::format_to(std::back_inserter(head), "Content-Length: {}\r\n", call.body.size());
  }
  head += "\r\n";
  return head;
}

Result<> send_stream(Transport& transport, base::ByteSource& stream) {
  std::vector<char> buffer(kReadBytes);
  std::string framing;
  while (true) {
    const std::size_t count = TRY(stream.read(buffer));
    if (count == 0) break;
    detail::append_chunk_header(framing, count);
    TRY(detail::send_until(transport, framing, sys::kNoDeadline, true));
    TRY(detail::send_until(transport, {buffer.data(), count}, sys::kNoDeadline, true));
    framing = "\r\n";
  }
  framing += detail::kLastChunk;
  return detail::send_until(transport, framing, sys::kNoDeadline);
}

/// Reads heads until one is final: "100 Continue" and its like only announce it.
Result<Parser> read_head(Link& link, const Call& call, sys::Deadline deadline) {
  while (true) {
    Parser parser = Parser::response(kMaxHead, call.method == "HEAD");
    while (!TRY(parser.read_head(link.input))) {
      const auto room = link.input.room(kReadBytes);
      const std::size_t count = TRY(detail::receive_until(*link.transport, room, deadline));
      if (count == 0) return base::unavailable("the peer closed the connection without an answer: EOF");
      link.input.filled(count);
    }
    const int status = parser.head().status;
    if (status >= 200 || status == 101) return parser;
  }
}

}  // namespace

struct Client::State {
  Result<Link> connect() const;
  Result<Link> idle_or_new();
  /// Keeps a connection for the next call.
  void give_back(Link link);
  /// `retry`: the peer can't have acted on the request.
  Result<std::unique_ptr<Reply>> send_on(Link link, const Call& call, bool& retry);

  Endpoint endpoint;
  ClientOptions options;
  detail::Bridges bridges;
  std::mutex mutex;  // guards idle
  std::vector<Link> idle;
};

namespace {

class LiveReply final : public Reply {
 public:
  LiveReply(Client::State& client, Link link, Parser parser, bool upgrade, bool reusable)
      : client_{client},
        link_{std::move(link)},
        parser_{std::move(parser)},
        upgrade_{upgrade},
        reusable_{reusable} {
    return_if_complete();
  }
  ~LiveReply() override;

  [[nodiscard]] int status() const override { return parser_.head().status; }
  [[nodiscard]] const Headers& headers() const override { return parser_.head().headers; }
  [[nodiscard]] int fd() const override { return link_.transport ? link_.transport->fd() : -1; }

  Result<std::optional<std::size_t>> read_now(std::span<char> buffer) override {
    while (link_.transport && !buffer.empty()) {
      auto count = parser_.read_body(link_.input, buffer);
      if (!count) return broken(std::move(count).error());
      return_if_complete();
      if (*count > 0) return std::optional{*count};
      if (!link_.transport) break;
      const auto step = link_.transport->receive(link_.input.room(kReadBytes));
      if (!step) return broken(base::Error{step.error()});
      want_ = step->want;
      if (want_ != detail::Want::Nothing) return std::optional<std::size_t>{};
      if (step->count == 0) {
        auto end = parser_.end_of_input();
        if (!end) return broken(std::move(end).error());
        link_.transport.reset();
      }
      link_.input.filled(step->count);
    }
    return std::optional<std::size_t>{0};
  }

  Result<std::size_t> read(std::span<char> buffer) override {
    while (true) {
      if (const auto count = TRY(read_now(buffer))) return *count;
      if (auto ready = sys::wait_ready(fd(), detail::poll_events(want_), sys::kNoDeadline); !ready)
        return broken(std::move(ready).error());
    }
  }

  Result<Upgraded> hijack() override;

 private:
  /// After an error the stream is at its end.
  base::Error broken(base::Error error) {
    link_.transport.reset();
    return error;
  }
  void return_if_complete();

  Client::State& client_;
  Link link_;  ///< without a transport once the body is at its end
  Parser parser_;
  detail::Want want_ = detail::Want::Nothing;
  bool upgrade_;
  bool reusable_;  ///< the request went out as a whole
};

void LiveReply::return_if_complete() {
  if (!link_.transport || !parser_.complete() || status() == 101 || (upgrade_ && status() == 200)) return;
  if (reusable_ && parser_.keep_alive() && link_.input.empty()) {
    client_.give_back(std::move(link_));
  }
  link_.transport.reset();
}

LiveReply::~LiveReply() {
  // What is there already may be the end of the body.
  std::vector<char> scrap;
  std::size_t skipped = 0;
  while (link_.transport && !link_.input.empty() && skipped < kSkipBytes && status() != 101) {
    scrap.resize(4096);
    const auto count = parser_.read_body(link_.input, scrap);
    if (!count || *count == 0) break;
    skipped += *count;
    return_if_complete();
  }
}

/// The bytes of a connection for somebody else; those in TLS go through a bridge.
Result<sys::UniqueFd> give_away(Client::State& client, std::unique_ptr<Transport> transport) {
  if (transport->is_tls()) return client.bridges.add(std::move(transport));
  return transport->release();
}

Result<Upgraded> LiveReply::hijack() {
  const bool switched = status() == 101 || (upgrade_ && status() == 200);
  if (!switched || !link_.transport) {
    return base::conflict(fmt::format("unable to upgrade to tcp, received {}", status()));
  }
  Upgraded out;
  out.prefix = link_.input.take();
  out.socket = TRY(give_away(client_, std::move(link_.transport)));
  return out;
}

/// What the Host field says; for a unix socket a name that no proxy takes for one of its own.
std::string host_field(const Endpoint& endpoint) {
  if (endpoint.dialer || !endpoint.unix_path.empty()) return "localhost";
  const bool v6 = endpoint.host.find(':') != std::string::npos;
  return v6 ? fmt::format("[{}]:{}", endpoint.host, endpoint.port)
            : fmt::format("{}:{}", endpoint.host, endpoint.port);
}

bool is_idempotent(const Call& call) { return call.method == "GET" || call.method == "HEAD"; }

}  // namespace

Result<Link> Client::State::connect() const {
  const auto deadline = after(options.connect_timeout);
  Link link;
  if (endpoint.dialer) {
    link.transport = detail::make_plain(TRY(endpoint.dialer->dial()));
    return link;
  }
  if (!endpoint.unix_path.empty()) {
    link.transport = detail::make_plain(TRY(sys::connect_unix(endpoint.unix_path, SOCK_STREAM)));
    return link;
  }
  auto socket = TRY(sys::connect_tcp(endpoint.host, endpoint.port, deadline));
  if (!endpoint.tls) {
    link.transport = detail::make_plain(std::move(socket));
    return link;
  }
  link.transport = TRY(detail::make_tls_client(std::move(socket), *endpoint.tls, endpoint.host));
  TRY(detail::handshake_until(*link.transport, deadline));
  return link;
}

Result<Link> Client::State::idle_or_new() {
  while (true) {
    Link link;
    {
      const std::lock_guard lock{mutex};
      if (idle.empty()) break;
      link = std::move(idle.back());
      idle.pop_back();
    }
    // Readable although nothing was asked: closed meanwhile (or TLS's session tickets, rarely).
    const auto readable = sys::wait_ready(link.transport->fd(), POLLIN, Clock::now());
    if (readable && !*readable) return link;
  }
  return connect();
}

void Client::State::give_back(Link link) {
  link.used = true;
  const std::lock_guard lock{mutex};
  if (idle.size() < kMaxIdle) idle.push_back(std::move(link));
}

Result<std::unique_ptr<Reply>> Client::State::send_on(Link link, const Call& call, bool& retry) {
  std::string text = make_head(call, options.headers, host_field(endpoint));
  if (call.stream == nullptr) text += call.body;
  auto sent = detail::send_until(*link.transport, text, sys::kNoDeadline);
  retry = !sent || is_idempotent(call);
  if (sent && call.stream != nullptr) {
    retry = false;
    sent = send_stream(*link.transport, *call.stream);
  }
  // A peer that refuses before it has read the whole body answers and closes: look for the answer.
  auto parser = read_head(link, call, sent ? after(options.response_timeout) : Clock::now());
  if (!parser) return base::Error{sent ? std::move(parser).error() : std::move(sent).error()};
  return std::make_unique<LiveReply>(*this, std::move(link), *std::move(parser), call.upgrade,
                                     sent.has_value());
}

Client::Client(Endpoint endpoint, ClientOptions options) : state_{std::make_unique<State>()} {
  state_->endpoint = std::move(endpoint);
  state_->options = std::move(options);
}
Client::~Client() = default;

Result<sys::UniqueFd> Client::dial() { return give_away(*state_, TRY(state_->connect()).transport); }

const Endpoint& Client::endpoint() const { return state_->endpoint; }

Result<std::unique_ptr<Reply>> Client::send(const Call& call) {
  auto link = TRY(state_->idle_or_new());
  const bool used = link.used;
  bool retry = false;
  auto reply = state_->send_on(std::move(link), call, retry);
  const auto& dialer = state_->endpoint.dialer;
  if (!reply && dialer && !used && call.stream == nullptr && dialer->turns_after_failure()) {
    reply = state_->send_on(TRY(state_->connect()), call, retry);
  } else if (!reply && used && retry) {
    reply = state_->send_on(TRY(state_->connect()), call, retry);
  }
  if (!reply && dialer) return dialer->explain(std::move(reply).error());
  return reply;
}

}  // namespace http
