#include "engine/detail/reactor.h"

#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "base/log.h"
#include "sys/epoll.h"

namespace engine {

namespace {
using Clock = std::chrono::steady_clock;
constexpr std::uint64_t kWakeToken = 0;
}  // namespace

struct Reactor::State {
  State(sys::Epoll e, sys::UniqueFd w) : epoll{std::move(e)}, wake{std::move(w)} {}

  void run();
  void dispatch(const sys::Epoll::Ready& ready);
  void run_due_timers();
  std::optional<std::chrono::milliseconds> until_next_timer();
  void interrupt() { base::ignore(sys::write_some(wake.get(), {"\1\0\0\0\0\0\0\0", 8}), "a full counter wakes, too"); }

  struct Entry {
    int fd;
    std::shared_ptr<ReadyHandler> handler;
  };

  sys::Epoll epoll;
  sys::UniqueFd wake;
  std::mutex mutex;
  // Guarded by mutex. Tokens and timer ids are never used again, so a late event finds nobody.
  std::unordered_map<std::uint64_t, Entry> entries;
  std::map<std::pair<Clock::time_point, TimerId>, Task> timers;
  std::uint64_t next_token = 1;
  TimerId next_timer = 1;
  bool stopping = false;

  std::thread thread;
};

void Reactor::State::run() {
  while (true) {
    const auto ready = epoll.wait(until_next_timer());
    if (!ready) {
      base::log::error("reactor: {}", ready.error().message());
      return;
    }
    for (const auto& event : *ready) {
      if (event.token != kWakeToken) {
        dispatch(event);
        continue;
      }
      char counter[8];
      base::ignore(sys::read_some(wake.get(), counter), "only resets the counter");
      const std::lock_guard lock{mutex};
      if (stopping) return;
    }
    run_due_timers();
  }
}

void Reactor::State::dispatch(const sys::Epoll::Ready& ready) {
  Entry entry;
  {
    const std::lock_guard lock{mutex};
    const auto found = entries.find(ready.token);
    if (found == entries.end()) return;
    entry = found->second;
  }
  if (entry.handler->on_ready()) return;
  const std::lock_guard lock{mutex};
  if (entries.erase(ready.token) > 0) epoll.remove(entry.fd);
}

void Reactor::State::run_due_timers() {
  while (true) {
    Task task;
    {
      const std::lock_guard lock{mutex};
      if (timers.empty() || timers.begin()->first.first > Clock::now()) return;
      task = std::move(timers.begin()->second);
      timers.erase(timers.begin());
    }
    task();
  }
}

std::optional<std::chrono::milliseconds> Reactor::State::until_next_timer() {
  const std::lock_guard lock{mutex};
  if (timers.empty()) return std::nullopt;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(timers.begin()->first.first - Clock::now());
  return std::max(left, std::chrono::milliseconds{0});
}

base::Result<std::unique_ptr<Reactor>> Reactor::start() {
  auto epoll = TRY(sys::Epoll::create());
  auto wake = TRY(sys::make_eventfd());
  TRY(sys::set_nonblocking(wake.get(), true));
  TRY(epoll.add(wake.get(), EPOLLIN, kWakeToken));
  auto state = std::make_unique<State>(std::move(epoll), std::move(wake));
  state->thread = std::thread{[raw = state.get()] { raw->run(); }};
  return std::unique_ptr<Reactor>{new Reactor{std::move(state)}};
}

Reactor::Reactor(std::unique_ptr<State> state) : state_{std::move(state)} {}

Reactor::~Reactor() {
  {
    const std::lock_guard lock{state_->mutex};
    state_->stopping = true;
  }
  state_->interrupt();
  state_->thread.join();
}

base::Result<> Reactor::add(int fd, std::shared_ptr<ReadyHandler> handler) {
  const std::lock_guard lock{state_->mutex};
  const std::uint64_t token = state_->next_token++;
  state_->entries.emplace(token, State::Entry{fd, std::move(handler)});
  auto added = state_->epoll.add(fd, EPOLLIN, token);
  if (!added) state_->entries.erase(token);
  return added;
}

void Reactor::remove(int fd) {
  const std::lock_guard lock{state_->mutex};
  if (std::erase_if(state_->entries, [&](const auto& item) { return item.second.fd == fd; }) > 0) {
    state_->epoll.remove(fd);
  }
}

Reactor::TimerId Reactor::after(std::chrono::milliseconds delay, Task task) {
  TimerId id = 0;
  {
    const std::lock_guard lock{state_->mutex};
    id = state_->next_timer++;
    state_->timers.emplace(std::pair{Clock::now() + delay, id}, std::move(task));
  }
  state_->interrupt();
  return id;
}

bool Reactor::cancel(TimerId timer) {
  const std::lock_guard lock{state_->mutex};
  return std::erase_if(state_->timers, [&](const auto& item) { return item.first.second == timer; }) > 0;
}

}  // namespace engine
