#include "distribution/detail/retry.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "base/strings.h"

namespace distribution::detail {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLongestBackoff{10'000};
constexpr std::chrono::seconds kLongestWanted{60};

}  // namespace

std::optional<milliseconds> parse_retry_after(std::string_view header) {
  const auto seconds = base::parse_uint(base::trim(header));
  if (!seconds) return std::nullopt;
  return std::chrono::seconds{
      std::min<std::uint64_t>(*seconds, static_cast<std::uint64_t>(kLongestWanted.count()))};
}

std::optional<milliseconds> Backoff::next(std::optional<milliseconds> wanted) {
  if (++failures_ >= attempts_) return std::nullopt;
  const milliseconds own = std::min(first_ * (1 << std::min(failures_ - 1, 10)), kLongestBackoff);
  return std::max(own, wanted.value_or(milliseconds{0}));
}

bool wait_out(milliseconds time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock{mutex};
  never.wait_for(lock, stop, time, [] { return false; });
  return !stop.stop_requested();
}

}  // namespace distribution::detail
