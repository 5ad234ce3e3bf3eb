#pragma once
/// A bounded pool of threads with small stacks that grows on demand and shrinks when idle.

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>

#include "base/result.h"

namespace http::detail {

class Task {
 public:
  virtual ~Task() = default;
  virtual void run() = 0;
};

class ThreadPool {
 public:
  ThreadPool(std::size_t max_threads, std::size_t stack_bytes, std::chrono::milliseconds idle)
      : max_threads_{max_threads}, stack_bytes_{stack_bytes}, idle_time_{idle} {}
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  /// Waits for every task that was submitted.
  ~ThreadPool();

  /// Starts the first thread, so that one is there when the kernel refuses more. Errors: Internal.
  base::Result<> start();
  void submit(std::shared_ptr<Task> task);
  /// Whether a task may keep its thread while it waits for a moment.
  [[nodiscard]] bool has_spare() const;
  [[nodiscard]] std::size_t threads() const;

 private:
  static void* entry(void* self);
  void work();
  void give_memory_back(std::unique_lock<std::mutex>& lock);
  base::Result<> spawn_locked();

  const std::size_t max_threads_;
  const std::size_t stack_bytes_;
  const std::chrono::milliseconds idle_time_;

  mutable std::mutex mutex_;  // guards all below
  std::condition_variable wake_;
  std::condition_variable ended_;
  std::deque<std::shared_ptr<Task>> tasks_;
  std::size_t threads_ = 0;
  std::size_t idle_ = 0;
  bool grew_ = false;  ///< to many threads since memory was given back
  bool closing_ = false;
};

}  // namespace http::detail
