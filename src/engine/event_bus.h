#pragma once
/// The event bus behind the Events service: a ring of the newest events that every stream reads at
/// its own pace. A stream that falls behind by more than the ring loses the oldest, never the
/// publisher's time. Safe from any thread; publishing never blocks on a reader, nor on the disk.
///
/// `keep_in` lets them outlive the daemon: a thread writes what was published to the database, many at a time, and
/// the next daemon begins with the newest of them. A daemon that is killed loses what it published in the last
/// moments.

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "engine/system.h"
#include "state/database.h"

namespace engine {

class EventBus final : public Events {
 public:
  /// docker keeps 256 for `--since`.
  static constexpr std::size_t kKept = 2048;

  EventBus();
  /// Writes what is left.
  ~EventBus() override;

  /// Once, before anything is published. The database outlives the bus.
  base::Result<> keep_in(state::Database& database);

  /// `type`: "container", "image", …; `action` as events.tsv of the API has it.
  void publish(std::string_view type, std::string_view action, std::string_view actor,
               spec::api::Labels attributes);

  base::Result<std::unique_ptr<EventStream>> subscribe(std::optional<base::Time> since,
                                                       std::optional<base::Time> until,
                                                       const Filters& filters) override;
  [[nodiscard]] std::size_t listeners() const override;
  [[nodiscard]] std::uint64_t published() const override;

 private:
  class Stream;
  class Writer;
  struct Shared;
  std::shared_ptr<Shared> shared_;
  std::unique_ptr<Writer> writer_;
};

/// Whether an event passes the filters of GET /events. Pure.
[[nodiscard]] bool event_matches(const spec::api::Event& event, const Filters& filters);

}  // namespace engine
