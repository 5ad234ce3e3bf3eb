#include "logs/driver.h"

#include <algorithm>
#include <array>

#include "base/strings.h"
#include "logs/detail/log_file.h"
#include "logs/detail/options.h"
#include "logs/detail/remote_log.h"
#include "logs/remote_options.h"

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

/// Which say something about the container in each line; of every driver but none.
bool is_selecting_option(std::string_view name) {
  static constexpr std::array<std::string_view, 5> kSelecting{"tag", "labels", "labels-regex", "env", "env-regex"};
  return std::ranges::find(kSelecting, name) != kSelecting.end();
}

Result<> check_json_file(const Config& config) {
  TRY(detail::json_file_options(config));
  return {};
}
Result<> check_local(const Config& config) {
  TRY(detail::local_options(config));
  return {};
}
Result<> check_journald(const Config& /*config*/) { return {}; }
Result<> check_syslog(const Config& config) {
  TRY(syslog_options(config.options));
  return {};
}
Result<> check_fluentd(const Config& config) {
  TRY(fluentd_options(config.options));
  return {};
}
Result<> check_gelf(const Config& config) {
  TRY(gelf_options(config.options));
  return {};
}

struct DriverRow {
  std::string_view name;
  std::string_view own_prefix;  ///< of options that are its own, as far as they have one
  std::array<std::string_view, 11> own;
  Result<> (*check)(const Config&);
};
constexpr std::array<DriverRow, 6> kDrivers{{
    {"json-file", "", {"max-size", "max-file", "compress"}, check_json_file},
    {"local", "", {"max-size", "max-file", "compress"}, check_local},
    {"journald", "", {}, check_journald},
    {"syslog", "syslog-",
     {"address", "facility", "format", "tls-ca-cert", "tls-cert", "tls-key", "tls-skip-verify"},
     check_syslog},
    {"fluentd", "fluentd-",
     {"address", "async", "async-reconnect-interval", "buffer-limit", "max-retries", "request-ack", "retry-wait",
      "sub-second-precision", "write-timeout", "read-timeout"},
     check_fluentd},
    {"gelf", "gelf-",
     {"address", "compression-type", "compression-level", "tcp-max-reconnect", "tcp-reconnect-delay"},
     check_gelf},
}};

bool is_own_option(const DriverRow& driver, std::string_view name) {
  if (!name.starts_with(driver.own_prefix)) return false;
  name.remove_prefix(driver.own_prefix.size());
  return !name.empty() && std::ranges::find(driver.own, name) != driver.own.end();
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
  const std::string name = config.driver.empty() ? "json-file" : config.driver;
  const auto* driver = std::ranges::find(kDrivers, std::string_view{name}, &DriverRow::name);
  if (driver == kDrivers.end()) return base::invalid("logger: no log driver named '" + name + "' is registered");
  for (const auto& [option, value] : config.options) {
    if (!is_common_option(option) && !is_selecting_option(option) && !is_own_option(*driver, option)) {
      return base::invalid("unknown log opt '" + option + "' for " + name + " log driver");
    }
  }
  TRY(detail::cache_options(config));
  return driver->check(config);
}

Result<std::unique_ptr<Driver>> Driver::open(const Config& config) {
  TRY(validate(config));
  if (config.driver == "none") return std::unique_ptr<Driver>{std::make_unique<Discard>()};
  if (detail::is_remote(config.driver)) return detail::RemoteLog::open(config);
  const DeliveryMode mode = TRY(delivery_mode(config));
  if (config.driver == "local") {
    return detail::LogFile::open(config.path, detail::make_local_encoder(), TRY(detail::local_options(config)), mode);
  }
  return detail::LogFile::open(config.path, detail::make_json_encoder(config.attributes),
                               TRY(detail::json_file_options(config)), mode);
}

}  // namespace logs
