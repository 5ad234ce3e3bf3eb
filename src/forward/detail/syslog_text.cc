#include "forward/detail/syslog_text.h"

#include <array>
#include <chrono>
#include <ctime>

#include <fmt/format.h>

namespace forward::detail {
namespace {

constexpr unsigned kError = 3;
constexpr unsigned kInformation = 6;

std::tm local_time(base::Time time) {
  const auto seconds = static_cast<std::time_t>(std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count());
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  return parts;
}

/// "Jan  2 15:04:05"
std::string stamp(base::Time time) {
  static constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::tm parts = local_time(time);
  return fmt::format("{} {:2} {:02}:{:02}:{:02}", kMonths[static_cast<std::size_t>(parts.tm_mon)], parts.tm_mday,
                     parts.tm_hour, parts.tm_min, parts.tm_sec);
}

/// "2006-01-02T15:04:05.000000+01:00", the fraction only with `micro`.
std::string rfc3339(base::Time time, bool micro) {
  const std::tm parts = local_time(time);
  std::string out = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", parts.tm_year + 1900, parts.tm_mon + 1,
                                parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
  if (micro) {
    const auto nanoseconds = time.time_since_epoch() - std::chrono::floor<std::chrono::seconds>(time.time_since_epoch());
    out += fmt::format(".{:06}", std::chrono::duration_cast<std::chrono::microseconds>(nanoseconds).count());
  }
  if (parts.tm_gmtoff == 0) return out + "Z";
  const long minutes = std::abs(parts.tm_gmtoff) / 60;
  return out + fmt::format("{}{:02}:{:02}", parts.tm_gmtoff < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

}  // namespace

std::string SyslogText::of(const Message& message) const {
  const unsigned priority = facility * 8 + (message.stream == logs::Stream::Stdout ? kInformation : kError);
  std::string out;
  switch (format) {
    case logs::SyslogFormat::Unix:
      out = fmt::format("<{}>{} {}[{}]: {}", priority, stamp(message.time), tag, pid, message.line);
      break;
    case logs::SyslogFormat::Rfc3164:
      out = fmt::format("<{}>{} {} {}[{}]: {}", priority, stamp(message.time), host, tag, pid, message.line);
      break;
    case logs::SyslogFormat::Rfc5424:
    case logs::SyslogFormat::Rfc5424Micro: {
      const bool micro = format == logs::SyslogFormat::Rfc5424Micro;
      out = fmt::format("<{}>1 {} {} {} {} {} - {}", priority, rfc3339(message.time, micro), host, tag, pid, tag,
                        message.line);
    }
  }
  out += '\n';
  return counted ? fmt::format("{} {}", out.size(), out) : out;
}

}  // namespace forward::detail
