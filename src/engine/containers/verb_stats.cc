#include <condition_variable>
#include <mutex>

#include "engine/containers/sample.h"
#include "engine/containers/verbs.h"

namespace engine {
namespace {

constexpr std::chrono::seconds kInterval{1};

class Samples final : public StatsStream {
 public:
  explicit Samples(ContainerPtr container) : container_{std::move(container)} {}

  base::Result<bool> next(spec::api::ContainerStats& stats, std::stop_token stop) override {
    if (began_ && !wait(stop)) return false;
    began_ = true;
    if (container_->removed()) return false;
    const auto record = container_->record();
    stats = TRY(sample(*record));
    stats.name = "/" + record->name;
    stats.id = record->id;
    stats.preread = std::exchange(last_read_, stats.read);
    stats.precpu_stats = std::exchange(last_cpu_, stats.cpu_stats);
    return true;
  }

 private:
  /// False when the client has gone.
  bool wait(const std::stop_token& stop) {
    std::unique_lock lock{mutex_};
    timer_.wait_for(lock, stop, kInterval, [] { return false; });
    return !stop.stop_requested();
  }

  ContainerPtr container_;
  bool began_ = false;
  std::string last_read_ = spec::api::ContainerStats::kNever;
  spec::api::CpuStats last_cpu_;
  std::mutex mutex_;
  std::condition_variable_any timer_;
};

}  // namespace

base::Result<std::unique_ptr<StatsStream>> stats(Core& /*core*/, const ContainerPtr& container) {
  return std::unique_ptr<StatsStream>{new Samples{container}};
}

}  // namespace engine
