#include "logs/reader.h"

#include <algorithm>
#include <chrono>

#include "logs/detail/json_reader.h"
#include "sys/fd.h"

namespace logs {

using base::Result;

Result<std::unique_ptr<Reader>> Reader::open(const Config& config, const ReadOptions& options) {
  if (!config.driver.empty() && config.driver != "json-file") {
    return base::not_implemented("configured logging driver does not support reading");
  }
  return detail::JsonReader::open(config, options);
}

Result<bool> Reader::next(Entry& entry, std::stop_token stop) {
  const std::stop_callback wake_up{stop, [this] { wake(); }};
  while (!stop.stop_requested()) {
    const Step step = TRY(this->step(entry));
    if (step == Step::Entry) return true;
    if (step == Step::End) return false;
    std::optional<std::chrono::nanoseconds> patience;
    if (until()) patience = std::max(*until() - base::now() + std::chrono::milliseconds{1}, std::chrono::nanoseconds{0});
    static_cast<void>(sys::poll_readable(fd(), patience));
  }
  return false;
}

}  // namespace logs
