#pragma once
/// Progress messages as docker sends them (moby's pkg/streamformatter and pkg/progress).

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "image/store.h"

namespace image::detail {

/// Serialises the sink. Threads: any.
class Progress {
 public:
  explicit Progress(ProgressSink& sink) : sink_{sink} {}

  /// {"status": …, "id": …}
  void status(std::string_view text, std::string_view id = {});
  /// {"progressDetail": {}, "aux": …}: for programs.
  void aux(codec::Json value);
  /// {"stream": …}
  void stream(std::string_view text);
  /// {"status": …, "progressDetail": {}, "id": …}
  void step(std::string_view id, std::string_view action);
  void step(std::string_view id, std::string_view action, std::uint64_t current, std::uint64_t total);

 private:
  void send(const spec::api::ProgressMessage& message);

  std::mutex mutex_;
  ProgressSink& sink_;
};

/// One action on one layer, told at most ten times a second. One thread.
class Meter {
 public:
  Meter(Progress& progress, std::string id, std::string action, std::uint64_t total)
      : progress_{progress}, id_{std::move(id)}, action_{std::move(action)}, total_{total} {}

  void advance_to(std::uint64_t current);
  /// The last state, whenever the one before was told.
  void finish();

 private:
  Progress& progress_;
  const std::string id_, action_;
  const std::uint64_t total_;
  std::uint64_t current_ = 0;
  std::uint64_t told_ = UINT64_MAX;
  std::chrono::steady_clock::time_point last_;
};

/// "[=====>     ]  1.049MB/10.49MB", for clients that don't draw it themselves.
[[nodiscard]] std::string progress_bar(std::uint64_t current, std::uint64_t total);
/// "1.049MB": four digits, decimal units (go-units' HumanSize).
[[nodiscard]] std::string human_size(std::uint64_t bytes);

}  // namespace image::detail
