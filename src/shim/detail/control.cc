#include "shim/detail/control.h"

#include <cerrno>

#include <unistd.h>

#include "base/log.h"
#include "sys/socket.h"

namespace shim::detail {
namespace {

using base::Result;

/// Packets that wait for one daemon. It is stuck if it has not taken so many.
constexpr std::size_t kWaiting = 1024;

}  // namespace

ControlServer::~ControlServer() {
  stop_listening();
  for (auto& connection : connections_) close(*connection);
}

Result<> ControlServer::listen(const std::string& path) {
  listener_ = TRY(sys::listen_unix(path, SOCK_SEQPACKET | SOCK_NONBLOCK, 0600));
  return loop_.add(listener_.get(), EPOLLIN, *this);
}

void ControlServer::stop_listening() {
  if (!listener_) return;
  loop_.remove(listener_.get());
  listener_.reset();
}

Result<> ControlServer::adopt(sys::UniqueFd connection) {
  TRY(sys::set_nonblocking(connection.get(), true));
  TRY(loop_.add(connection.get(), EPOLLIN, *this));
  connections_.push_back(std::make_unique<Connection>(Connection{std::move(connection), {}}));
  return {};
}

void ControlServer::close(Connection& connection) {
  if (!connection.fd) return;
  loop_.remove(connection.fd.get());
  connection.fd.reset();
  connection.waiting.clear();
}

void ControlServer::sweep() {
  std::erase_if(connections_, [](const auto& connection) { return !connection->fd; });
}

void ControlServer::broadcast(const codec::Json& event, const std::vector<int>& fds) {
  for (auto& connection : connections_) send(*connection, event, fds);
}

void ControlServer::send(Connection& connection, const codec::Json& json, const std::vector<int>& fds) {
  if (!connection.fd) return;
  auto wire = encode(json, fds);
  if (!wire) {
    base::log::error("a message to the daemon is lost: {}", wire.error().message());
    return close(connection);
  }
  Waiting waiting{std::move(*wire), {}};
  for (std::size_t i = waiting.wire.memfd ? 1 : 0; i < waiting.wire.fds.size(); ++i) {
    auto copy = sys::duplicate(waiting.wire.fds[i]);
    if (!copy) return close(connection);
    waiting.wire.fds[i] = copy->get();
    waiting.fds.push_back(std::move(*copy));
  }
  connection.waiting.push_back(std::move(waiting));
  if (connection.waiting.size() > kWaiting) {
    base::log::warn("a daemon does not read its messages: given up");
    return close(connection);
  }
  flush(connection);
}

void ControlServer::flush(Connection& connection) {
  while (!connection.waiting.empty()) {
    const Wire& wire = connection.waiting.front().wire;
    const auto sent = sys::send_message(connection.fd.get(), wire.bytes, wire.fds);
    if (!sent && sent.error().errno_value() == EAGAIN) break;
    if (!sent) return close(connection);
    connection.waiting.pop_front();
  }
  loop_.modify(connection.fd.get(), EPOLLIN | (connection.waiting.empty() ? 0U : EPOLLOUT));
}

void ControlServer::serve(Connection& connection) {
  while (connection.fd) {
    auto packet = receive(connection.fd.get());
    if (!packet && packet.error().errno_value() == EAGAIN) return;
    if (!packet || !*packet) return close(connection);
    const codec::Json& request = (*packet)->json;
    codec::Json reply = codec::Json::object({{"seq", request["seq"]}});
    auto answer = requests_.handle(request["op"].as_string(), request["body"], std::move((*packet)->fds));
    if (answer) {
      reply.set("body", std::move(*answer));
    } else {
      reply.set("error", to_json(answer.error()));
    }
    send(connection, reply, {});
  }
}

void ControlServer::on_ready(int fd, std::uint32_t events) {
  if (fd == listener_.get()) {
    auto accepted = sys::accept_on(fd, SOCK_NONBLOCK);
    if (!accepted) return;
    // The socket's mode lets root in only; this holds where a file system ignores modes.
    const auto peer = sys::peer_credentials(accepted->get());
    if (!peer || peer->uid != ::geteuid()) return;
    if (const auto adopted = adopt(std::move(*accepted)); !adopted) {
      base::log::error("a daemon's connection is refused: {}", adopted.error().message());
    }
    return;
  }
  for (auto& connection : connections_) {
    if (connection->fd.get() != fd) continue;
    if ((events & EPOLLOUT) != 0) flush(*connection);
    if (connection->fd && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) serve(*connection);
    return;
  }
}

}  // namespace shim::detail
