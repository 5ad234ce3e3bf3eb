#include "engine/detail/workers.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace engine {

namespace {
constexpr auto kKeepIdle = std::chrono::seconds{30};
}

struct Workers::Shared {
  std::mutex mutex;
  std::condition_variable work, ended;
  // Guarded by mutex.
  std::deque<Task> tasks;
  std::size_t idle = 0, alive = 0;
  bool stopping = false;
};

Workers::Workers() : shared_{std::make_shared<Shared>()} {}

Workers::~Workers() {
  std::unique_lock lock{shared_->mutex};
  shared_->stopping = true;
  shared_->work.notify_all();
  shared_->ended.wait(lock, [&] { return shared_->alive == 0; });
}

void Workers::post(Task task) {
  const std::lock_guard lock{shared_->mutex};
  shared_->tasks.push_back(std::move(task));
  if (shared_->idle >= shared_->tasks.size()) {
    shared_->work.notify_one();
    return;
  }
  ++shared_->alive;
  std::thread{[shared = shared_] { run(shared); }}.detach();
}

void Workers::run(const std::shared_ptr<Shared>& shared) {
  std::unique_lock lock{shared->mutex};
  while (true) {
    if (shared->tasks.empty() && !shared->stopping) {
      ++shared->idle;
      const bool woken = shared->work.wait_for(lock, kKeepIdle,
                                               [&] { return !shared->tasks.empty() || shared->stopping; });
      --shared->idle;
      if (!woken) break;
    }
    if (shared->tasks.empty()) break;
    Task task = std::move(shared->tasks.front());
    shared->tasks.pop_front();
    lock.unlock();
    task();
    task = Task{};  // what it holds must not be destroyed under the lock
    lock.lock();
  }
  --shared->alive;
  shared->ended.notify_all();
}

}  // namespace engine
