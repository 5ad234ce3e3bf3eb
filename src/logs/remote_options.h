#pragma once
/// The options of the drivers that send lines elsewhere, checked and parsed. All errors are
/// InvalidArgument, in docker's words where clients may look for them.

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/result.h"

namespace logs {

using Options = std::map<std::string, std::string>;

/// "tcp+tls://logs.example:6514", "unixgram:///dev/log"
struct Endpoint {
  std::string scheme;  ///< tcp, tcp+tls, udp, unix, unixgram; "": the host's own syslog
  std::string host;
  std::uint16_t port = 0;
  std::string path;    ///< of unix and unixgram
};

/// Files in PEM form on the host.
struct TlsOptions {
  std::string ca, certificate, key;
  bool skip_verify = false;
};

enum class SyslogFormat : std::uint8_t {
  Unix,      ///< docker's default: RFC 3164 without a host
  Rfc3164,
  Rfc5424,
  Rfc5424Micro,  ///< with microseconds
};
struct SyslogOptions {
  Endpoint endpoint;
  unsigned facility = 3;  ///< daemon
  SyslogFormat format = SyslogFormat::Unix;
  TlsOptions tls;
};
base::Result<SyslogOptions> syslog_options(const Options& options);

struct GelfOptions {
  enum class Compression : std::uint8_t { Gzip, Zlib, None };
  Endpoint endpoint;
  Compression compression = Compression::Gzip;
  int level = 1;
  unsigned max_reconnects = 3;
  std::chrono::seconds reconnect_delay{1};
};
base::Result<GelfOptions> gelf_options(const Options& options);

struct FluentdOptions {
  Endpoint endpoint;  ///< tcp, tcp+tls, unix
  /// The container starts although nobody answers.
  bool async = false;
  /// When async: a new connection this often; 0: never on purpose.
  std::chrono::milliseconds reconnect_interval{0};
  std::uint64_t buffer_limit = std::uint64_t{1} << 20U;
  std::uint64_t max_retries = 0;  ///< 0: without end
  std::chrono::nanoseconds retry_wait = std::chrono::seconds{1};
  bool request_ack = false;
  bool sub_second = false;
  std::chrono::nanoseconds write_timeout{0}, read_timeout{0};  ///< 0: none
};
base::Result<FluentdOptions> fluentd_options(const Options& options);

/// Go's strconv.ParseBool. Errors: InvalidArgument, in its words.
base::Result<bool> parse_bool(const std::string& text);

}  // namespace logs
