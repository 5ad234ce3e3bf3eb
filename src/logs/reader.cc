#include "logs/reader.h"

#include <algorithm>
#include <chrono>

#include "logs/detail/file_reader.h"
#include "logs/detail/format.h"
#include "logs/detail/options.h"
#include "sys/fd.h"

namespace logs {

using base::Result;

Result<std::unique_ptr<Reader>> Reader::open(const Config& config, const ReadOptions& options) {
  if (config.driver.empty() || config.driver == "json-file") {
    return detail::FileReader::open(config.path, detail::make_json_format(), options);
  }
  const bool copied = detail::is_remote(config.driver) && TRY(detail::cache_options(config));
  if (config.driver != "local" && !copied) {
    return base::not_implemented("configured logging driver does not support reading");
  }
  return detail::FileReader::open(config.path, detail::make_local_format(config.attributes), options);
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
