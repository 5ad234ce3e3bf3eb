#pragma once
/// When a broken request is tried again: attempts, exponential backoff, Retry-After.

#include <chrono>
#include <optional>
#include <stop_token>
#include <string_view>

#include "distribution/client.h"

namespace distribution::detail {

/// Seconds; an HTTP date is not taken. At most a minute is believed.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view header);

/// One for each thing that may fail. One thread.
class Backoff {
 public:
  explicit Backoff(const Options& options) : attempts_{options.attempts}, first_{options.first_backoff} {}

  /// How long to wait before the next attempt; nullopt when there is none left.
  std::optional<std::chrono::milliseconds> next(std::optional<std::chrono::milliseconds> wanted);
  /// It went on: the count begins anew.
  void progressed() { failures_ = 0; }

 private:
  int attempts_;
  std::chrono::milliseconds first_;
  int failures_ = 0;
};

/// False when `stop` was requested before the time was over.
bool wait_out(std::chrono::milliseconds time, const std::stop_token& stop);

}  // namespace distribution::detail
