#pragma once
/// One connection of the server, from accept to close or hijack.
///
/// It is Busy while a thread of the pool works on it (or it is queued for one), and Parked while the
/// reactor waits for its peer. Only the transition, the flags for the handler's stop token and the end
/// need the lock: all else belongs to the thread that is busy with it.

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "base/result.h"
#include "http/detail/connection_table.h"
#include "http/detail/input_buffer.h"
#include "http/detail/parser.h"
#include "http/detail/reactor.h"
#include "http/detail/thread_pool.h"
#include "http/detail/tls_bridge.h"
#include "http/detail/transport.h"
#include "http/server.h"

namespace http::detail {

/// What all connections of a server share.
struct ServerContext {
  ServerContext(Handler& the_handler, const ServerOptions& the_options)
      : handler{the_handler}, options{the_options} {}
  /// Forgets a connection; if the acceptors wait for room, they go on.
  void leave(Reactor::Token token);

  Handler& handler;
  const ServerOptions options;
  ConnectionTable table;
  Bridges bridges;
  std::atomic<bool> stopping = false;
  std::atomic<int> lingering = 0;
  std::unique_ptr<ThreadPool> pool;
  std::unique_ptr<Reactor> reactor;
  std::vector<Reactor::Token> acceptors;  ///< constant once the reactor calls
};

/// What is known of the peer from the start.
struct Peer {
  std::optional<struct ::ucred> credentials;
  std::string address;
};

class Connection final : public Watcher, public Task, public std::enable_shared_from_this<Connection> {
 public:
  Connection(ServerContext& context, std::unique_ptr<Transport> transport, Peer peer);

  /// Registers and parks a new connection. Errors: Internal.
  base::Result<> open();

  void on_ready(std::uint32_t events) override;
  void on_deadline() override { close_if_parked(); }
  void run() override;

  /// For a server that stops.
  void close_if_parked();
  /// For a server that needs room: keeps a connection whose next request is there already.
  void close_if_silent();
  /// Fires the handler's stop token.
  void request_stop();
  /// That, and breaks the connection.
  void abort();

  // For the exchange, on the thread that is busy.
  [[nodiscard]] Transport& transport() { return *transport_; }
  [[nodiscard]] InputBuffer& input() { return input_; }
  [[nodiscard]] ServerContext& context() { return context_; }
  [[nodiscard]] const Peer& peer() const { return peer_; }
  std::stop_token stop_token();
  /// From now on the peer's hang-up is noticed.
  void watch_for_hang_up();
  [[nodiscard]] bool hung_up();
  /// Leaves the server; the transport goes to the caller.
  std::unique_ptr<Transport> detach();

 private:
  enum class Mode : std::uint8_t { Busy, Parked, Closed };
  enum class Next : std::uint8_t { Again, Done };

  Next advance();
  Next advance_handshake();
  Next advance_head();
  Next receive_more();
  Next drain_before_close();
  Next serve();
  Next refuse(int status);
  /// Waits for the peer on the reactor. Nothing of this may be touched afterwards.
  Next park(Want want, sys::Deadline deadline, Idle idle);
  Next close();
  Next start_drain();

  ServerContext& context_;
  const Peer peer_;
  std::unique_ptr<Transport> transport_;
  InputBuffer input_;
  std::optional<Parser> parser_;
  bool handshaken_ = false;
  bool draining_ = false;  ///< all is said; what the peer still sends is thrown away
  sys::Deadline head_deadline_;
  sys::Deadline drain_deadline_ = sys::kNoDeadline;
  std::size_t drained_ = 0;  ///< bytes
  Reactor::Token token_ = 0;

  std::mutex mutex_;  // guards all below
  Mode mode_ = Mode::Busy;
  bool aborted_ = false;
  std::optional<std::stop_source> stop_;  ///< of the exchange, once it asked for it
};

}  // namespace http::detail
