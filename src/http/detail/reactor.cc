#include "http/detail/reactor.h"

#include <array>

#include "base/log.h"

namespace http::detail {

using base::Result;

namespace {
constexpr Reactor::Token kWake = 0;
}

Result<std::unique_ptr<Reactor>> Reactor::start() {
  auto epoll = TRY(sys::Epoll::create());
  auto wake = TRY(sys::make_eventfd());
  TRY(epoll.add(wake.get(), EPOLLIN, kWake));
  std::unique_ptr<Reactor> reactor{new Reactor{std::move(epoll), std::move(wake)}};
  reactor->thread_ = std::jthread{[self = reactor.get()](const std::stop_token& stop) { self->run(stop); }};
  return reactor;
}

Reactor::~Reactor() {
  thread_.request_stop();
  wake();
  thread_.join();
}

void Reactor::wake() {
  const std::uint64_t one = 1;
  base::ignore(sys::write_some(wake_.get(), {reinterpret_cast<const char*>(&one), sizeof one}),
               "a full counter wakes it as well");
}

Result<Reactor::Token> Reactor::add(int fd, std::shared_ptr<Watcher> watcher) {
  const std::lock_guard lock{mutex_};
  const Token token = ++last_;
  TRY(epoll_.add(fd, EPOLLONESHOT, token));
  // EPOLLONESHOT with no events still reports a hang-up once, which dispatch() then passes on.
  entries_.emplace(token, Entry{fd, std::move(watcher)});
  return token;
}

void Reactor::arm(Token token, std::uint32_t events, sys::Deadline deadline) {
  bool sooner = false;
  {
    const std::lock_guard lock{mutex_};
    const auto at = entries_.find(token);
    if (at == entries_.end()) return;
    set_deadline_locked(token, at->second, deadline);
    sooner = deadline < sleeping_until_;
    if (auto armed = epoll_.modify(at->second.fd, events | EPOLLONESHOT, token); !armed) {
      base::log::error("watch a connection: {}", armed.error().message());
    }
  }
  if (sooner) wake();
}

void Reactor::remove(Token token) {
  std::shared_ptr<Watcher> last;  // destroyed after the lock is released
  const std::lock_guard lock{mutex_};
  const auto at = entries_.find(token);
  if (at == entries_.end()) return;
  set_deadline_locked(token, at->second, sys::kNoDeadline);
  epoll_.remove(at->second.fd);
  last = std::move(at->second.watcher);
  entries_.erase(at);
}

void Reactor::set_deadline_locked(Token token, Entry& entry, sys::Deadline deadline) {
  if (entry.deadline == deadline) return;
  if (entry.deadline != sys::kNoDeadline) deadlines_.erase({entry.deadline, token});
  if (deadline != sys::kNoDeadline) deadlines_.emplace(deadline, token);
  entry.deadline = deadline;
}

sys::Deadline Reactor::next_deadline() {
  const std::lock_guard lock{mutex_};
  sleeping_until_ = deadlines_.empty() ? sys::kNoDeadline : deadlines_.begin()->first;
  return sleeping_until_;
}

void Reactor::dispatch(Token token, std::uint32_t events) {
  std::shared_ptr<Watcher> watcher;
  {
    const std::lock_guard lock{mutex_};
    const auto at = entries_.find(token);
    if (at == entries_.end()) return;
    set_deadline_locked(token, at->second, sys::kNoDeadline);
    watcher = at->second.watcher;
  }
  watcher->on_ready(events);
}

void Reactor::expire() {
  const auto now = std::chrono::steady_clock::now();
  std::vector<std::shared_ptr<Watcher>> due;
  {
    const std::lock_guard lock{mutex_};
    while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
      const Token token = deadlines_.begin()->second;
      Entry& entry = entries_.at(token);
      set_deadline_locked(token, entry, sys::kNoDeadline);
      due.push_back(entry.watcher);
    }
  }
  for (const auto& watcher : due) watcher->on_deadline();
}

void Reactor::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    std::optional<std::chrono::milliseconds> timeout;
    if (const auto deadline = next_deadline(); deadline != sys::kNoDeadline) {
      const auto left = deadline - std::chrono::steady_clock::now();
      timeout = std::max(std::chrono::milliseconds{0}, std::chrono::ceil<std::chrono::milliseconds>(left));
    }
    auto ready = epoll_.wait(timeout);
    {
      const std::lock_guard lock{mutex_};
      sleeping_until_ = sys::Deadline::min();
    }
    if (!ready) {
      base::log::error("wait for connections: {}", ready.error().message());
      return;
    }
    for (const auto& [token, events] : *ready) {
      if (token != kWake) {
        dispatch(token, events);
        continue;
      }
      std::uint64_t count = 0;
      base::ignore(sys::read_some(wake_.get(), {reinterpret_cast<char*>(&count), sizeof count}),
                   "only a wake-up");
    }
    expire();
  }
}

}  // namespace http::detail
