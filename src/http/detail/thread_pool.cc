#include "http/detail/thread_pool.h"

#include <utility>

#include <malloc.h>
#include <pthread.h>

namespace http::detail {

using base::Result;

namespace {
/// From so many on, a burst is worth cleaning up after.
constexpr std::size_t kManyThreads = 16;
}  // namespace

ThreadPool::~ThreadPool() {
  std::unique_lock lock{mutex_};
  closing_ = true;
  wake_.notify_all();
  ended_.wait(lock, [&] { return threads_ == 0; });
}

Result<> ThreadPool::start() {
  const std::lock_guard lock{mutex_};
  return spawn_locked().context("start the first thread");
}

void ThreadPool::submit(std::shared_ptr<Task> task) {
  const std::lock_guard lock{mutex_};
  tasks_.push_back(std::move(task));
  if (tasks_.size() > idle_ && threads_ < max_threads_) {
    base::ignore(spawn_locked(), "the present threads serve the queue in turn");
  }
  wake_.notify_one();
}

bool ThreadPool::has_spare() const {
  const std::lock_guard lock{mutex_};
  return tasks_.empty() && threads_ < max_threads_;
}

std::size_t ThreadPool::threads() const {
  const std::lock_guard lock{mutex_};
  return threads_;
}

Result<> ThreadPool::spawn_locked() {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, stack_bytes_);
  pthread_t thread{};
  const int error = pthread_create(&thread, &attributes, entry, this);
  pthread_attr_destroy(&attributes);
  if (error != 0) return base::Error::from_errno(error, "pthread_create");
  ++threads_;
  if (threads_ > kManyThreads) grew_ = true;
  return {};
}

void* ThreadPool::entry(void* self) {
  static_cast<ThreadPool*>(self)->work();
  return nullptr;
}

/// What a burst of requests left in the allocator, which keeps it for the next one.
void ThreadPool::give_memory_back(std::unique_lock<std::mutex>& lock) {
  lock.unlock();
  ::malloc_trim(0);
  lock.lock();
}

void ThreadPool::work() {
  std::unique_lock lock{mutex_};
  while (true) {
    if (tasks_.empty()) {
      if (closing_) break;
      ++idle_;
      const bool woken = wake_.wait_for(lock, idle_time_, [&] { return closing_ || !tasks_.empty(); });
      --idle_;
      if (!woken && threads_ > 1) break;
      if (!woken && std::exchange(grew_, false)) give_memory_back(lock);
      continue;
    }
    const auto task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task->run();
    lock.lock();
  }
  --threads_;
  if (threads_ == 0) ended_.notify_all();
}

}  // namespace http::detail
