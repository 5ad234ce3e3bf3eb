/// Probes without a process: a connection from the container's own network namespace.
#include <array>

#include <fmt/format.h>

#include "base/strings.h"
#include "shim/detail/health_record.h"
#include "shim/detail/probe.h"
#include "sys/file.h"
#include "sys/rtnetlink.h"
#include "sys/stream_socket.h"

namespace shim::detail {
namespace {

using base::Result;

constexpr std::size_t kHeadLimit = 16 * 1024;
constexpr int kSuccess = 0;
constexpr int kFailure = 1;

class SocketProbe final : public Probe, public Handler {
 public:
  SocketProbe(const HealthCheck& check, sys::UniqueFd socket, EventLoop& loop)
      : http_{check.kind == "http"}, socket_{std::move(socket)}, loop_{loop} {
    if (!http_) return;
    request_ = fmt::format(
        "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: caisson-healthcheck\r\nAccept: */*\r\nConnection: close\r\n\r\n",
        check.target, check.authority);
  }
  SocketProbe(const SocketProbe&) = delete;
  SocketProbe& operator=(const SocketProbe&) = delete;
  ~SocketProbe() override { close(); }

  Result<> watch() { return loop_.add(socket_.get(), EPOLLOUT, *this); }

  void on_ready(int /*fd*/, std::uint32_t /*events*/) override {
    if (!connected_) {
      if (const auto outcome = sys::connect_outcome(socket_.get()); !outcome) return fail(outcome.error().message());
      connected_ = true;
      if (!http_) return succeed();
    }
    if (!request_.empty()) return send();
    receive();
  }
  void cancel() override { close(); }

 private:
  void send() {
    const auto sent = sys::send_now(socket_.get(), request_);
    if (!sent) return fail(sent.error().message());
    request_.erase(0, sent->value_or(0));
    if (request_.empty()) loop_.modify(socket_.get(), EPOLLIN);
  }

  void receive() {
    std::array<char, 4096> buffer;  // NOLINT: filled before it is read
    const auto received = sys::receive_now(socket_.get(), buffer);
    if (!received) return fail(received.error().message());
    if (!*received) return;
    head_.append(buffer.data(), **received);
    if (const auto end = head_.find("\r\n\r\n"); end != std::string::npos) return judge(end);
    if (**received == 0) return fail("the server closed the connection without an answer");
    if (head_.size() > kHeadLimit) fail("the answer's head is longer than 16 KiB");
  }

  /// By the head alone: what of the body came with it is shown, and the rest not waited for.
  void judge(std::size_t head_end) {
    const std::string_view line = std::string_view{head_}.substr(0, head_.find("\r\n"));
    const auto words = base::split_words(line, ' ');
    const std::uint64_t status = words.size() < 2 ? 0 : base::parse_uint(words[1]).value_or(0);
    if (!line.starts_with("HTTP/") || status == 0) return fail("the answer is not HTTP");
    print(line);
    const std::string_view body = std::string_view{head_}.substr(head_end + 4);
    if (!body.empty()) print("\n");
    print(body);
    close();
    decide(status >= 200 && status < 400 ? kSuccess : kFailure);
  }

  void succeed() {
    close();
    decide(kSuccess);
  }
  void fail(std::string_view why) {
    close();
    print(why);
    decide(kFailure);
  }
  void close() {
    if (!socket_) return;
    loop_.remove(socket_.get());
    socket_.reset();
  }

  const bool http_;
  sys::UniqueFd socket_;
  EventLoop& loop_;
  bool connected_ = false;
  std::string request_;
  std::string head_;
};

}  // namespace

Result<std::unique_ptr<Probe>> start_socket_probe(const HealthCheck& check, pid_t pid, EventLoop& loop) {
  const sys::UniqueFd netns = TRY(sys::open_at(sys::kCwd, fmt::format("/proc/{}/ns/net", pid), O_RDONLY));
  sys::UniqueFd socket;
  // A socket belongs to the namespace that it was made in: this thread is there for that moment only.
  TRY(sys::in_netns(netns.get(), [&]() -> Result<> {
    socket = TRY(sys::begin_connect(check.address, check.port));
    return {};
  }));
  auto probe = std::make_unique<SocketProbe>(check, std::move(socket), loop);
  TRY(probe->watch());
  return std::unique_ptr<Probe>{std::move(probe)};
}

}  // namespace shim::detail
