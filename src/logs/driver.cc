#include "logs/driver.h"

#include <algorithm>
#include <array>

#include "base/strings.h"
#include "logs/detail/json_file.h"
#include "logs/detail/options.h"

namespace logs {
namespace {

using base::Result;

/// Docker's driver "none": the output goes to attached clients only.
class Discard final : public Driver {
 public:
  Result<> write(Stream, std::string_view, base::Time) override { return {}; }
  Result<> end(Stream) override { return {}; }
  [[nodiscard]] std::size_t pending() const override { return 0; }
};

/// Options of the delivery, which are not the driver's.
bool is_common_option(std::string_view name) {
  static constexpr std::array<std::string_view, 6> kCommon{"mode",           "max-buffer-size", "cache-disabled",
                                                           "cache-max-size", "cache-max-file",  "cache-compress"};
  return std::ranges::find(kCommon, name) != kCommon.end();
}

bool is_json_file_option(std::string_view name) {
  static constexpr std::array<std::string_view, 8> kKnown{"max-size",     "max-file", "compress",  "tag",
                                                          "labels",       "labels-regex", "env", "env-regex"};
  return std::ranges::find(kKnown, name) != kKnown.end();
}

}  // namespace

std::string_view name_of(Stream stream) { return stream == Stream::Stdout ? "stdout" : "stderr"; }

Result<DeliveryMode> delivery_mode(const Config& config) {
  DeliveryMode out;
  const auto mode = config.options.find("mode");
  if (mode != config.options.end() && !mode->second.empty()) {
    out.blocking = mode->second == "blocking";
    if (!out.blocking && mode->second != "non-blocking") {
      return base::invalid("logger: logging mode not supported: " + mode->second);
    }
  }
  const auto size = config.options.find("max-buffer-size");
  if (size == config.options.end()) return out;
  if (out.blocking) {
    return base::invalid("logger: max-buffer-size option is only supported with 'mode=non-blocking'");
  }
  const auto bytes = detail::parse_size(size->second, 1024);
  if (!bytes) {
    return base::invalid("error parsing option max-buffer-size: invalid size: '" + size->second + "'");
  }
  out.buffer_bytes = *bytes;
  return out;
}

Result<> validate(const Config& config) {
  TRY(delivery_mode(config));
  if (config.driver == "none") return {};
  if (!config.driver.empty() && config.driver != "json-file") {
    return base::invalid("logger: no log driver named '" + config.driver + "' is registered");
  }
  for (const auto& [name, value] : config.options) {
    if (!is_common_option(name) && !is_json_file_option(name)) {
      return base::invalid("unknown log opt '" + name + "' for json-file log driver");
    }
  }
  TRY(detail::json_file_options(config));
  return {};
}

Result<std::unique_ptr<Driver>> Driver::open(const Config& config) {
  TRY(validate(config));
  if (config.driver == "none") return std::unique_ptr<Driver>{std::make_unique<Discard>()};
  return detail::JsonFile::open(config);
}

}  // namespace logs
