#pragma once
/// Threads for work that may block and that no API request waits on: what follows an exit, restarts,
/// removals. A thread is kept for a while after its task, so a start or an exit makes none as a rule;
/// tasks never wait for each other, since there are always as many threads as tasks that run.

#include <memory>

#include "engine/detail/task.h"

namespace engine {

class Workers {
 public:
  Workers();
  /// Waits for what was posted.
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// From any thread. A task must not throw.
  void post(Task task);

 private:
  struct Shared;
  static void run(const std::shared_ptr<Shared>& shared);
  std::shared_ptr<Shared> shared_;
};

}  // namespace engine
