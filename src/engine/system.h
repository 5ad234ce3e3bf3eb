#pragma once
/// The system service (version, info) and the event bus. Safe from any thread.

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "engine/containers.h"
#include "spec/engine/disk.h"
#include "spec/engine/system.h"

namespace engine {

/// The newest Engine API that this engine speaks, and the oldest.
inline constexpr std::string_view kApiVersion = "1.56";
inline constexpr std::string_view kMinApiVersion = "1.24";

class System {
 public:
  virtual ~System() = default;
  virtual spec::api::SystemVersion version() = 0;
  virtual base::Result<spec::api::SystemInfo> info() = 0;
  /// What du(1) says of the data root, by what it is for.
  virtual base::Result<spec::api::DiskSpace> disk_space() = 0;
};

class EventStream {
 public:
  virtual ~EventStream() = default;
  /// Blocks for the next event. False when `until` has passed or `stop` fired.
  virtual bool next(spec::api::Event& event, std::stop_token stop) = 0;
};

class Events {
 public:
  virtual ~Events() = default;
  /// Events from `since` on (nullopt: from now), then new ones up to `until` (nullopt: for ever).
  virtual base::Result<std::unique_ptr<EventStream>> subscribe(std::optional<base::Time> since,
                                                               std::optional<base::Time> until,
                                                               const Filters& filters) = 0;
  /// Streams that are open.
  [[nodiscard]] virtual std::size_t listeners() const = 0;
  /// Events since this daemon started.
  [[nodiscard]] virtual std::uint64_t published() const = 0;
};

}  // namespace engine
