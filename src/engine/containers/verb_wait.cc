#include "engine/containers/verbs.h"

namespace engine {
namespace {

spec::api::WaitResponse response(const Ended& ended) {
  spec::api::WaitResponse answer{.status_code = ended.exit_code};
  if (!ended.error.empty()) answer.error = spec::api::WaitError{ended.error};
  return answer;
}

base::Error gave_up() { return base::unavailable("the wait was ended by its client"); }

class EndWait final : public Wait {
 public:
  EndWait(ContainerPtr container, std::uint64_t seen) : container_{std::move(container)}, seen_{seen} {}
  base::Result<spec::api::WaitResponse> get(std::stop_token stop) override {
    const auto ended = container_->wait_end(seen_, std::move(stop));
    if (!ended) return gave_up();
    return response(*ended);
  }

 private:
  ContainerPtr container_;
  std::uint64_t seen_;
};

class RemovalWait final : public Wait {
 public:
  explicit RemovalWait(ContainerPtr container) : container_{std::move(container)} {}
  base::Result<spec::api::WaitResponse> get(std::stop_token stop) override {
    const auto ended = container_->wait_removed(std::move(stop));
    if (!ended) return gave_up();
    return response(*ended);
  }

 private:
  ContainerPtr container_;
};

class Immediate final : public Wait {
 public:
  explicit Immediate(spec::api::WaitResponse answer) : answer_{std::move(answer)} {}
  base::Result<spec::api::WaitResponse> get(std::stop_token /*stop*/) override { return answer_; }

 private:
  spec::api::WaitResponse answer_;
};

}  // namespace

base::Result<std::unique_ptr<Wait>> wait(Core& /*core*/, const ContainerPtr& container, WaitCondition condition) {
  if (condition == WaitCondition::Removed) return std::unique_ptr<Wait>{new RemovalWait{container}};
  // The count is read before the state: an end between the two makes the wait return at once.
  const std::uint64_t seen = container->ends();
  const auto record = container->record();
  const bool over = !counts_as_running(record->state) && !container->run();
  if (condition == WaitCondition::NotRunning && over) {
    spec::api::WaitResponse answer{.status_code = record->exit_code};
    if (!record->error.empty()) answer.error = spec::api::WaitError{record->error};
    return std::unique_ptr<Wait>{new Immediate{std::move(answer)}};
  }
  return std::unique_ptr<Wait>{new EndWait{container, seen}};
}

}  // namespace engine
