#include "logs/remote_options.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/strings.h"
#include "base/time.h"
#include "logs/detail/options.h"

namespace logs {
namespace {

using base::Result;

const std::string* find(const Options& options, const char* name) {
  const auto found = options.find(name);
  return found == options.end() || found->second.empty() ? nullptr : &found->second;
}

/// "host:port", "[::1]:port"; without a port `otherwise` if that is not 0.
Result<> split_host(Endpoint& endpoint, std::string_view text, std::uint16_t otherwise) {
  const auto colon = text.rfind(':');
  const bool has_port = colon != std::string_view::npos && text.find(']', colon) == std::string_view::npos &&
                        (text.starts_with('[') || text.find(':') == colon);
  std::string_view host = has_port ? text.substr(0, colon) : text;
  endpoint.port = otherwise;
  if (has_port) {
    const auto port = base::parse_uint(text.substr(colon + 1));
    if (!port || *port == 0 || *port > 65535) return base::invalid("invalid port in " + base::quoted(text));
    endpoint.port = static_cast<std::uint16_t>(*port);
  }
  if (endpoint.port == 0) return base::invalid("missing port in address " + base::quoted(text));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  endpoint.host = host;
  return {};
}

std::string_view strip_path(std::string_view text) { return text.substr(0, text.find('/')); }

Result<bool> bool_option(const Options& options, const char* name) {
  const std::string* text = find(options, name);
  return text == nullptr ? Result<bool>{false} : parse_bool(*text);
}

Result<std::chrono::nanoseconds> duration_option(const Options& options, const char* name,
                                                 std::chrono::nanoseconds otherwise) {
  const std::string* text = find(options, name);
  if (text == nullptr) return otherwise;
  const auto value = TRY(base::parse_duration(*text).context("invalid value for " + std::string{name}));
  if (value.count() < 0) return base::invalid("invalid value for " + std::string{name} + ": " + *text + " is negative");
  return value;
}

Result<unsigned> facility_of(const std::string& text) {
  static constexpr std::array<std::string_view, 24> kNames{
      "kern", "user",   "mail",   "daemon", "auth",   "syslog", "lpr",    "news",   "uucp",   "cron",   "authpriv", "ftp",
      "",     "",       "",       "",       "local0", "local1", "local2", "local3", "local4", "local5", "local6",   "local7"};
  const auto name = std::ranges::find(kNames, std::string_view{text});
  if (name != kNames.end() && !text.empty()) return static_cast<unsigned>(name - kNames.begin());
  const auto number = base::parse_uint(text);
  if (number && *number <= 23) return static_cast<unsigned>(*number);
  return base::invalid("invalid syslog facility");
}

Result<Endpoint> syslog_endpoint(const std::string& address) {
  Endpoint endpoint;
  const auto parts = base::cut(address, "://");
  static constexpr std::array<std::string_view, 5> kSchemes{"tcp", "tcp+tls", "udp", "unix", "unixgram"};
  if (!parts || std::ranges::find(kSchemes, parts->first) == kSchemes.end()) {
    return base::invalid("syslog-address should be in form proto://address, got " + address);
  }
  endpoint.scheme = parts->first;
  if (endpoint.scheme.starts_with("unix")) {
    endpoint.path = parts->second;
    if (!endpoint.path.starts_with('/')) return base::invalid("syslog-address needs an absolute path, got " + address);
    return endpoint;
  }
  TRY(split_host(endpoint, strip_path(parts->second), 514).context("syslog-address"));
  return endpoint;
}

Result<GelfOptions::Compression> compression_of(const std::string& text) {
  if (text == "gzip") return GelfOptions::Compression::Gzip;
  if (text == "zlib") return GelfOptions::Compression::Zlib;
  if (text == "none") return GelfOptions::Compression::None;
  return base::invalid("unknown value " + base::quoted(text) +
                       " for log opt \"gelf-compression-type\" for gelf log driver");
}

Result<Endpoint> fluentd_endpoint(const std::string& address) {
  Endpoint endpoint{.scheme = "tcp"};
  const auto wrong = [&](const std::string& why) {
    return base::invalid("invalid fluentd-address (" + address + "): " + why);
  };
  std::string_view rest = address;
  if (const auto parts = base::cut(address, "://")) {
    endpoint.scheme = parts->first == "tls" ? "tcp+tls" : std::string{parts->first};
    rest = parts->second;
  }
  if (endpoint.scheme == "unix") {
    endpoint.path = rest;
    if (endpoint.path.empty() || endpoint.path == "/") return wrong("path is empty");
    return endpoint;
  }
  if (endpoint.scheme != "tcp" && endpoint.scheme != "tcp+tls") {
    return wrong("unsupported scheme: '" + endpoint.scheme + "'");
  }
  if (rest.find('/') != std::string_view::npos) return wrong("should not contain a path element");
  if (rest.starts_with(':')) rest = rest == ":" ? std::string_view{} : rest;
  if (rest.empty()) rest = "localhost";
  if (auto split = split_host(endpoint, rest, 24224); !split) return wrong(split.error().message());
  if (endpoint.host.empty()) endpoint.host = "localhost";
  return endpoint;
}

}  // namespace

Result<bool> parse_bool(const std::string& text) {
  static constexpr std::array<std::string_view, 6> kTrue{"1", "t", "T", "TRUE", "true", "True"};
  static constexpr std::array<std::string_view, 6> kFalse{"0", "f", "F", "FALSE", "false", "False"};
  if (std::ranges::find(kTrue, text) != kTrue.end()) return true;
  if (std::ranges::find(kFalse, text) != kFalse.end()) return false;
  return base::invalid("strconv.ParseBool: parsing " + base::quoted(text) + ": invalid syntax");
}

Result<SyslogOptions> syslog_options(const Options& options) {
  SyslogOptions out;
  if (const auto* address = find(options, "syslog-address")) out.endpoint = TRY(syslog_endpoint(*address));
  if (const auto* facility = find(options, "syslog-facility")) out.facility = TRY(facility_of(*facility));
  if (const auto* format = find(options, "syslog-format")) {
    static constexpr std::array<std::pair<std::string_view, SyslogFormat>, 3> kFormats{
        {{"rfc3164", SyslogFormat::Rfc3164}, {"rfc5424", SyslogFormat::Rfc5424}, {"rfc5424micro", SyslogFormat::Rfc5424Micro}}};
    const auto* known = std::ranges::find(kFormats, std::string_view{*format}, &decltype(kFormats)::value_type::first);
    if (known == kFormats.end()) return base::invalid("Invalid syslog format");
    out.format = known->second;
  }
  for (const auto& [name, target] : {std::pair{"syslog-tls-ca-cert", &out.tls.ca},
                                     std::pair{"syslog-tls-cert", &out.tls.certificate},
                                     std::pair{"syslog-tls-key", &out.tls.key}}) {
    if (const auto* path = find(options, name)) *target = *path;
  }
  if (out.tls.certificate.empty() != out.tls.key.empty()) {
    return base::invalid("syslog-tls-cert and syslog-tls-key need each other");
  }
  // docker looks at whether it is there, not at its value; "false" is honoured here.
  out.tls.skip_verify = TRY(bool_option(options, "syslog-tls-skip-verify"));
  return out;
}

Result<GelfOptions> gelf_options(const Options& options) {
  GelfOptions out;
  const std::string* address = find(options, "gelf-address");
  if (address == nullptr) return base::invalid("gelf-address is a required parameter");
  const auto parts = base::cut(*address, "://");
  if (!parts) return base::invalid("gelf-address should be in form proto://address, got " + *address);
  out.endpoint.scheme = parts->first;
  if (out.endpoint.scheme != "udp" && out.endpoint.scheme != "tcp") {
    return base::invalid("gelf: endpoint needs to be TCP or UDP");
  }
  if (!split_host(out.endpoint, strip_path(parts->second), 0) || out.endpoint.host.empty()) {
    return base::invalid("gelf: please provide gelf-address as proto://host:port");
  }
  const bool udp = out.endpoint.scheme == "udp";
  if (const auto* type = find(options, "gelf-compression-type")) {
    if (!udp) return base::invalid("compression is only supported on UDP");
    out.compression = TRY(compression_of(*type));
  }
  if (const auto* level = find(options, "gelf-compression-level")) {
    if (!udp) return base::invalid("compression is only supported on UDP");
    const auto number = base::parse_int(*level);
    if (!number || *number < -1 || *number > 9) {
      return base::invalid("unknown value " + base::quoted(*level) +
                           " for log opt \"gelf-compression-level\" for gelf log driver");
    }
    out.level = static_cast<int>(*number);
  }
  for (const char* name : {"gelf-tcp-max-reconnect", "gelf-tcp-reconnect-delay"}) {
    const auto* text = find(options, name);
    if (text == nullptr) continue;
    if (udp) return base::invalid(base::quoted(name) + " is only valid for TCP");
    const auto number = base::parse_uint(*text);
    if (!number || *number > 1'000'000) return base::invalid(base::quoted(name) + " must be a positive integer");
    if (std::string_view{name} == "gelf-tcp-max-reconnect") {
      out.max_reconnects = static_cast<unsigned>(*number);
    } else {
      out.reconnect_delay = std::chrono::seconds{*number};
    }
  }
  return out;
}

Result<FluentdOptions> fluentd_options(const Options& options) {
  FluentdOptions out;
  const auto* address = find(options, "fluentd-address");
  out.endpoint = TRY(fluentd_endpoint(address == nullptr ? "localhost:24224" : *address));
  out.async = TRY(bool_option(options, "fluentd-async"));
  out.request_ack = TRY(bool_option(options, "fluentd-request-ack"));
  out.sub_second = TRY(bool_option(options, "fluentd-sub-second-precision"));
  if (const auto* limit = find(options, "fluentd-buffer-limit")) {
    const auto bytes = detail::parse_size(*limit, 1024);
    if (!bytes) return base::invalid("invalid size: '" + *limit + "'");
    out.buffer_limit = *bytes;
  }
  if (const auto* retries = find(options, "fluentd-max-retries")) {
    const auto number = base::parse_uint(*retries);
    if (!number) return base::invalid("strconv.ParseUint: parsing " + base::quoted(*retries) + ": invalid syntax");
    out.max_retries = *number;
  }
  out.retry_wait = TRY(duration_option(options, "fluentd-retry-wait", std::chrono::seconds{1}));
  out.write_timeout = TRY(duration_option(options, "fluentd-write-timeout", {}));
  out.read_timeout = TRY(duration_option(options, "fluentd-read-timeout", {}));
  const auto interval = TRY(duration_option(options, "fluentd-async-reconnect-interval", {}));
  if (interval.count() != 0 && (interval < std::chrono::milliseconds{100} || interval > std::chrono::seconds{10})) {
    return base::invalid("invalid value for fluentd-async-reconnect-interval: value (" +
                         *find(options, "fluentd-async-reconnect-interval") + ") must be between 100ms and 10s");
  }
  out.reconnect_interval = std::chrono::duration_cast<std::chrono::milliseconds>(interval);
  return out;
}

}  // namespace logs
