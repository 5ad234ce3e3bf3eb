#include "http/server.h"

#include <cerrno>

#include "base/log.h"
#include "http/detail/connection.h"

namespace http {

using base::Result;
using detail::Connection;
using detail::Reactor;
using detail::ServerContext;
using Clock = std::chrono::steady_clock;

namespace {

/// So many are accepted in a row before the reactor looks after its connections again.
constexpr int kAcceptBatch = 64;
/// Out of descriptors: only time or somebody else helps.
constexpr std::chrono::milliseconds kAcceptPause{100};

/// One listening socket on the reactor.
class Acceptor final : public detail::Watcher {
 public:
  Acceptor(ServerContext& context, Listener listener) : context_{context}, listener_{std::move(listener)} {}

  Result<Reactor::Token> open() {
    TRY(sys::set_nonblocking(listener_.socket.get(), true));
    family_ = TRY(sys::socket_family(listener_.socket.get()));
    auto self = std::shared_ptr<Acceptor>{this, [](Acceptor*) {}};
    token_ = TRY(context_.reactor->add(listener_.socket.get(), std::move(self)));
    return token_;
  }
  Result<Listener> duplicate() const {
    return Listener{TRY(sys::duplicate(listener_.socket.get())), listener_.tls, listener_.name, listener_.host};
  }
  void close() {
    context_.reactor->remove(token_);
    const std::lock_guard lock{mutex_};
    listener_.socket.reset();
    next_.reset();
  }

  void on_ready(std::uint32_t /*events*/) override {
    const std::lock_guard lock{mutex_};
    for (int i = 0; i < kAcceptBatch; ++i) {
      if (!listener_.socket) return;
      if (!next_) {
        auto socket = sys::accept_on(listener_.socket.get());
        if (!socket) return after_failure(socket.error());
        next_ = *std::move(socket);
      }
      if (!make_room()) return;
      welcome(std::move(next_));
    }
    rearm(EPOLLIN, sys::kNoDeadline);
  }
  void on_deadline() override { on_ready(0); }

 private:
  void rearm(std::uint32_t events, sys::Deadline deadline) {
    context_.reactor->arm(token_, events, deadline);
  }

  /// False when there is none: then the next connection that ends arms this again.
  bool make_room() {
    while (context_.table.wants_room(context_.options.max_connections)) {
      const auto oldest = context_.table.take_oldest_idle();
      if (oldest == nullptr) return false;
      oldest->close_if_silent();
    }
    return true;
  }

  void after_failure(const base::Error& error) {
    switch (error.errno_value()) {
      case EMFILE:
      case ENFILE:
      case ENOBUFS:
      case ENOMEM:
        base::log::warn("{}: {}", listener_.name, error.message());
        return rearm(0, Clock::now() + kAcceptPause);
      default: return rearm(EPOLLIN, sys::kNoDeadline);  // nobody there, or gone again
    }
  }

  void welcome(sys::UniqueFd socket) {
    detail::Peer peer;
    if (family_ == AF_UNIX) {
      peer.address = "@";
      if (auto credentials = sys::peer_credentials(socket.get())) peer.credentials = *credentials;
    } else {
      sys::tune_tcp(socket.get());
      if (auto name = sys::peer_name(socket.get())) peer.address = *std::move(name);
    }
    std::unique_ptr<detail::Transport> transport;
    if (listener_.tls) {
      auto tls = detail::make_tls_server(std::move(socket), *listener_.tls);
      if (!tls) return base::log::error("{}: {}", listener_.name, tls.error().message());
      transport = *std::move(tls);
    } else {
      transport = detail::make_plain(std::move(socket));
    }
    const auto connection = std::make_shared<Connection>(context_, std::move(transport), std::move(peer));
    if (auto opened = connection->open(); !opened) {
      base::log::error("{}: {}", listener_.name, opened.error().message());
    }
  }

  ServerContext& context_;
  int family_ = AF_UNSPEC;
  Reactor::Token token_ = 0;
  std::mutex mutex_;  // guards all below
  Listener listener_;
  sys::UniqueFd next_;  ///< accepted, but there is no room for it yet
};

}  // namespace

class Server::Impl {
 public:
  Impl(Handler& handler, const ServerOptions& options) : context{handler, options} {}

  Result<> start(std::vector<Listener> listeners) {
    const auto& options = context.options;
    context.pool =
        std::make_unique<detail::ThreadPool>(options.max_threads, options.thread_stack, options.thread_idle);
    TRY(context.pool->start());
    context.reactor = TRY(Reactor::start());
    for (auto& listener : listeners) {
      names.push_back(listener.name);
      acceptors.push_back(std::make_unique<Acceptor>(context, std::move(listener)));
      context.acceptors.push_back(TRY(acceptors.back()->open()));
    }
    for (const auto token : context.acceptors) context.reactor->arm(token, EPOLLIN, sys::kNoDeadline);
    return {};
  }

  std::size_t stop(std::chrono::milliseconds grace) {
    if (context.stopping.exchange(true)) return context.table.busy_count();
    for (const auto& acceptor : acceptors) acceptor->close();
    for (const auto& connection : context.table.all()) {
      connection->close_if_parked();
      connection->request_stop();
    }
    if (context.table.wait_until_none_busy(Clock::now() + grace)) return 0;
    for (const auto& connection : context.table.all()) connection->abort();
    context.table.wait_until_none_busy(Clock::now() + std::chrono::seconds{1});
    return context.table.busy_count();
  }

  ~Impl() {
    stop(std::chrono::milliseconds{0});
    context.pool.reset();     // waits for the handlers
    context.reactor.reset();  // from here on nobody calls the acceptors
  }

  ServerContext context;
  std::vector<std::unique_ptr<Acceptor>> acceptors;
  std::vector<std::string> names;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::start(Handler& handler, std::vector<Listener> listeners,
                                              const ServerOptions& options) {
  auto impl = std::make_unique<Impl>(handler, options);
  TRY(impl->start(std::move(listeners)).context("start the HTTP server"));
  return std::make_unique<Server>(std::move(impl));
}

std::size_t Server::stop(std::chrono::milliseconds grace) { return impl_->stop(grace); }
Result<std::vector<Listener>> Server::duplicate_listeners() const {
  std::vector<Listener> listeners;
  for (const auto& acceptor : impl_->acceptors) listeners.push_back(TRY(acceptor->duplicate()));
  return listeners;
}

const std::vector<std::string>& Server::names() const { return impl_->names; }

Server::Counters Server::counters() const {
  const auto& context = impl_->context;
  return {context.table.size(), context.pool->threads(), context.table.busy_count()};
}

}  // namespace http
