#pragma once
/// The daemons' connections: their requests in, replies and events out.

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "shim/detail/event_loop.h"
#include "shim/detail/packet.h"

namespace shim::detail {

class RequestHandler {
 public:
  /// The body of the reply.
  virtual base::Result<codec::Json> handle(std::string_view op, const codec::Json& body,
                                           std::vector<sys::UniqueFd> fds) = 0;

 protected:
  ~RequestHandler() = default;
};

class ControlServer final : public Handler {
 public:
  ControlServer(EventLoop& loop, RequestHandler& requests) : loop_{loop}, requests_{requests} {}
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;
  ~ControlServer();

  base::Result<> listen(const std::string& path);
  /// No more daemons. The socket's file stays: it may be a younger shim's by now.
  void stop_listening();
  base::Result<> adopt(sys::UniqueFd connection);

  /// To every daemon. A packet that one does not take now waits for it, up to a limit past which the
  /// daemon is given up.
  void broadcast(const codec::Json& event, const std::vector<int>& fds = {});
  [[nodiscard]] bool has_daemon() const { return !connections_.empty(); }
  /// Forgets connections that have ended.
  void sweep();

  void on_ready(int fd, std::uint32_t events) override;

 private:
  struct Waiting {
    Wire wire;
    std::vector<sys::UniqueFd> fds;  ///< copies of wire.fds
  };
  struct Connection {
    sys::UniqueFd fd;
    std::deque<Waiting> waiting;
  };
  void send(Connection& connection, const codec::Json& json, const std::vector<int>& fds);
  void flush(Connection& connection);
  void serve(Connection& connection);
  void close(Connection& connection);

  EventLoop& loop_;
  RequestHandler& requests_;
  sys::UniqueFd listener_;
  std::vector<std::unique_ptr<Connection>> connections_;
};

}  // namespace shim::detail
