#include "shim/client.h"

#include <cerrno>
#include <condition_variable>
#include <mutex>

#include <fmt/format.h>

#include "base/log.h"
#include "shim/detail/packet.h"
#include "sys/file.h"
#include "sys/socket.h"

namespace shim {

using base::Result;

namespace {

constexpr std::chrono::seconds kCreateTimeout{120};

base::Error lost_error() { return base::unavailable("the container's shim is gone"); }

}  // namespace

/// Requests that wait for their replies, and what was told about the creation. Safe from any thread.
class Client::Exchange {
 public:
  explicit Exchange(int connection) : connection_{connection} {}

  Result<codec::Json> request(std::string_view op, codec::Json body, const std::vector<int>& fds,
                              std::chrono::milliseconds timeout) {
    Pending pending;
    std::uint64_t seq = 0;
    {
      const std::lock_guard lock{mutex_};
      if (lost_) return lost_error();
      seq = ++last_seq_;
      pending_[seq] = &pending;
    }
    auto sent = send(seq, op, std::move(body), fds, timeout);
    std::unique_lock lock{mutex_};
    if (sent) {
      changed_.wait_for(lock, timeout, [&] { return pending.reply.has_value() || lost_; });
    }
    pending_.erase(seq);
    if (!sent) return std::move(sent).error();
    if (pending.reply) return std::move(*pending.reply);
    if (lost_) return lost_error();
    return base::unavailable("the container's shim does not answer");
  }

  /// Without waiting for a reply.
  void notify(std::string_view op, codec::Json body) {
    base::ignore(send(0, op, std::move(body), {}, std::chrono::milliseconds{0}),
                 "a shim that is gone or stuck does without it");
  }

  void on_reply(const codec::Json& packet) {
    const std::lock_guard lock{mutex_};
    const auto found = pending_.find(packet["seq"].as_uint());
    if (found == pending_.end()) return;  // nobody waits for it any more
    if (packet["error"].is_object()) {
      found->second->reply.emplace(detail::to_error(packet["error"]));
    } else {
      found->second->reply.emplace(packet["body"]);
    }
    changed_.notify_all();
  }

  void on_cloned(NewInit init) {
    const std::lock_guard lock{mutex_};
    cloned_ = std::move(init);
    changed_.notify_all();
  }
  void on_created(Result<Created> created) {
    const std::lock_guard lock{mutex_};
    created_ = std::move(created);
    changed_.notify_all();
  }
  void on_lost() {
    const std::lock_guard lock{mutex_};
    lost_ = true;
    changed_.notify_all();
  }
  [[nodiscard]] bool lost() {
    const std::lock_guard lock{mutex_};
    return lost_;
  }

  Result<NewInit> wait_cloned() {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, kCreateTimeout, [&] { return cloned_ || created_ || lost_; });
    if (cloned_) {
      NewInit init = std::move(*cloned_);
      cloned_.reset();
      return init;
    }
    if (created_ && !*created_) return created_->error();
    if (created_) {
      // Whoever made the init in another container's PID namespace may be gone before the shim looks at it: then the
      // init itself, which waits to be started, shows its namespaces.
      const pid_t pid = (*created_)->pid;
      return NewInit{pid, TRY(sys::open_at(sys::kCwd, fmt::format("/proc/{}/ns/net", pid), O_RDONLY)
                                  .context("open the container's network namespace"))};
    }
    return lost_ ? lost_error() : base::unavailable("the container's shim does not create it");
  }
  Result<Created> wait_created() {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, kCreateTimeout, [&] { return created_ || lost_; });
    if (created_) return *created_;
    return lost_ ? lost_error() : base::unavailable("the container's shim does not create it");
  }

 private:
  struct Pending {
    std::optional<Result<codec::Json>> reply;
  };

  Result<> send(std::uint64_t seq, std::string_view op, codec::Json body, const std::vector<int>& fds,
                std::chrono::milliseconds timeout) {
    const codec::Json packet = codec::Json::object({{"seq", seq}, {"op", op}, {"body", std::move(body)}});
    const detail::Wire wire = TRY(detail::encode(packet, fds));
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    while (true) {
      auto sent = sys::send_message(connection_, wire.bytes, wire.fds);
      if (sent) return sent;
      if (sent.error().errno_value() != EAGAIN) return lost_error();
      // The socket's queue is full: a shim that is busy, or stuck.
      const auto left = deadline - std::chrono::steady_clock::now();
      if (left <= std::chrono::nanoseconds{0} || !sys::poll_writable(connection_, left)) {
        return base::unavailable("the container's shim does not answer");
      }
    }
  }

  const int connection_;
  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_:
  std::uint64_t last_seq_ = 0;
  std::map<std::uint64_t, Pending*> pending_;
  std::optional<NewInit> cloned_;
  std::optional<Result<Created>> created_;
  bool lost_ = false;
};

Client::Client(sys::UniqueFd connection, Observer& observer)
    : connection_{std::move(connection)}, observer_{observer}, exchange_{std::make_unique<Exchange>(connection_.get())} {}

Client::~Client() = default;

bool Client::lost() const { return exchange_->lost(); }

bool Client::on_readable() {
  while (true) {
    auto packet = detail::receive(connection_.get());
    if (!packet && packet.error().errno_value() == EAGAIN) return true;
    // Told once, when the shim left without having read a request; what it sent before is still there.
    if (!packet && packet.error().errno_value() == ECONNRESET) continue;
    if (!packet || !*packet) {
      if (!packet) base::log::warn("the connection to a shim is broken: {}", packet.error().message());
      exchange_->on_lost();
      observer_.on_lost();
      return false;
    }
    const codec::Json& json = (*packet)->json;
    if (json["event"].is_string()) {
      handle_event(json["event"].as_string(), json["body"], std::move((*packet)->fds));
    } else {
      exchange_->on_reply(json);
    }
  }
}

void Client::handle_event(std::string_view event, const codec::Json& body, std::vector<sys::UniqueFd> fds) {
  const auto read = [&]<class T>(T value) {
    if (auto parsed = codec::from_json<T>(body)) value = std::move(*parsed);
    return value;
  };
  if (event == Cloned::kEvent) {
    exchange_->on_cloned({read(Cloned{}).pid, fds.empty() ? sys::UniqueFd{} : std::move(fds.front())});
  } else if (event == Created::kEvent) {
    exchange_->on_created(read(Created{}));
  } else if (event == CreateFailed::kEvent) {
    const auto failure = read(CreateFailed{});
    exchange_->on_created(base::Error{detail::kind_named(failure.kind), failure.errno_value, failure.message});
  } else if (event == Exited::kEvent) {
    observer_.on_exited(read(Exited{}).exit);
    exchange_->notify(Acknowledge::kOp, codec::to_json(Acknowledge{}));
  } else if (event == ExecExited::kEvent) {
    const auto exited = read(ExecExited{});
    observer_.on_exec_exited(exited.exec, exited.exit);
    exchange_->notify(Acknowledge::kOp, codec::to_json(Acknowledge{exited.exec}));
  } else if (event == OutOfMemory::kEvent) {
    observer_.on_oom();
  } else if (event == Detached::kEvent) {
    observer_.on_detached(read(Detached{}).exec);
  } else if (event == ProbeStarted::kEvent) {
    observer_.on_probe_started(read(ProbeStarted{}).exec);
  } else if (event == ProbeEnded::kEvent) {
    const auto ended = read(ProbeEnded{});
    observer_.on_probe_ended(ended.exec, ended.code);
  } else if (event == HealthReport::kEvent) {
    observer_.on_health(read(HealthReport{}));
  }
  // Others are a younger shim's.
}

template <class Request>
Result<typename Request::Reply> Client::call(const Request& request, const std::vector<int>& fds) {
  const codec::Json reply = TRY(exchange_->request(Request::kOp, codec::to_json(request), fds, timeout_.load()));
  return codec::from_json<typename Request::Reply>(reply);
}

namespace {

Result<> done(const Result<Nothing>& reply) {
  if (!reply) return reply.error();
  return {};
}

}  // namespace

Result<NewInit> Client::wait_cloned() { return exchange_->wait_cloned(); }
Result<Created> Client::wait_created() { return exchange_->wait_created(); }
Result<Start::Reply> Client::start() { return call(Start{}); }
Result<> Client::attach(const sys::UniqueFd& connection, const Attachment& attachment) {
  return done(call(Attach{attachment}, {connection.get()}));
}
Result<Exec::Reply> Client::exec(const Exec& exec, const sys::UniqueFd& connection) {
  return call(exec, exec.attachment ? std::vector<int>{connection.get()} : std::vector<int>{});
}
Result<> Client::resize(const Resize& resize) { return done(call(resize)); }
Result<> Client::signal(const Signal& signal) { return done(call(signal)); }
Result<> Client::pause() { return done(call(Pause{})); }
Result<> Client::resume() { return done(call(Resume{})); }
Result<> Client::update(const codec::Json& resources) { return done(call(Update{resources})); }
Result<> Client::close_stdin(const std::string& exec) { return done(call(CloseStdin{exec})); }
Result<GetState::Reply> Client::state() { return call(GetState{}); }
Result<std::vector<int>> Client::processes() { return TRY(call(Processes{})).pids; }
Result<> Client::shutdown() { return done(call(Shutdown{})); }

}  // namespace shim
