#pragma once
/// Wall-clock times as the Engine API and the logs write them: RFC 3339 with nanoseconds, UTC.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace base {

/// Nanoseconds since 1970-01-01 UTC, without leap seconds: CLOCK_REALTIME.
using Time = std::chrono::sys_time<std::chrono::nanoseconds>;

[[nodiscard]] Time now();

/// "2026-11-20T21:27:03.000000001Z", always nine digits as docker's json-file has it… when
/// `Fraction::Nine`; Go's RFC3339Nano drops trailing zeros: `Fraction::Shortest`.
enum class Fraction : std::uint8_t { Nine, Shortest, None };
[[nodiscard]] std::string to_rfc3339(Time time, Fraction fraction = Fraction::Shortest);

/// Any offset, any number of fraction digits. Errors: InvalidArgument.
Result<Time> parse_rfc3339(std::string_view text);

/// Docker's `since`/`until`: RFC 3339 (also date only or without offset, local time zone taken as
/// UTC), Unix seconds with a fraction ("1136073600.000000001"), or a Go duration ("10m") before
/// `relative_to`. Errors: InvalidArgument.
Result<Time> parse_timestamp(std::string_view text, Time relative_to);

/// Go's duration grammar: "1h30m", "300ms", "1.5h", "-2s". Errors: InvalidArgument.
Result<std::chrono::nanoseconds> parse_duration(std::string_view text);

/// Docker's zero time, "0001-01-01T00:00:00Z", stands for "never".
inline constexpr std::string_view kNever = "0001-01-01T00:00:00Z";

/// "Less than a second", "About a minute", "3 hours", as docker's tables say it (go-units).
[[nodiscard]] std::string human_duration(std::chrono::nanoseconds duration);

}  // namespace base
