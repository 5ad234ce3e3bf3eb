#include "base/time.h"

#include <array>
#include <cmath>
#include <ctime>

#include <fmt/format.h>

#include "base/strings.h"

namespace base {
namespace {

using namespace std::chrono;

Error bad_time(std::string_view text) {
  return invalid("invalid time " + quoted(text) + ": want RFC 3339, Unix seconds or a duration");
}

/// Takes `count` decimal digits off the front.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  const auto value = parse_uint(text.substr(0, count));
  if (!value) return std::nullopt;
  text.remove_prefix(count);
  return static_cast<int>(*value);
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

/// ".123" → nanoseconds; digits past the ninth are dropped.
std::optional<nanoseconds> take_fraction(std::string_view& text) {
  if (!take(text, '.')) return nanoseconds{0};
  std::int64_t value = 0;
  std::size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') {
    if (digits < 9) value = value * 10 + (text[digits] - '0');
    ++digits;
  }
  if (digits == 0) return std::nullopt;
  for (std::size_t i = digits; i < 9; ++i) value *= 10;
  text.remove_prefix(digits);
  return nanoseconds{value};
}

struct Unit {
  std::string_view name;
  double nanoseconds;
};
// Longer names first: "ms" must not be read as "m".
constexpr std::array kUnits{Unit{"ns", 1},          Unit{"us", 1e3}, Unit{"\xc2\xb5s", 1e3},
                            Unit{"ms", 1e6},        Unit{"s", 1e9},  Unit{"m", 60e9},
                            Unit{"h", 3600e9}};

}  // namespace

Time now() { return time_point_cast<nanoseconds>(system_clock::now()); }

std::string to_rfc3339(Time time, Fraction fraction) {
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{time - day};
  std::string out = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                                static_cast<unsigned>(date.month()),
                                static_cast<unsigned>(date.day()), clock.hours().count(),
                                clock.minutes().count(), clock.seconds().count());
  const auto nanos = clock.subseconds().count();
  if (fraction == Fraction::Nine || (fraction == Fraction::Shortest && nanos != 0)) {
    out += fmt::format(".{:09}", nanos);
    if (fraction == Fraction::Shortest) out.erase(out.find_last_not_of('0') + 1);
  }
  return out + 'Z';
}

Result<Time> parse_rfc3339(std::string_view text) {
  std::string_view rest = text;
  const auto year = take_digits(rest, 4);
  const bool dash1 = take(rest, '-');
  const auto month = take_digits(rest, 2);
  const bool dash2 = take(rest, '-');
  const auto day = take_digits(rest, 2);
  if (!year || !dash1 || !month || !dash2 || !day) return bad_time(text);
  const year_month_day date{std::chrono::year{*year}, std::chrono::month(static_cast<unsigned>(*month)),
                            std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return bad_time(text);
  Time time = sys_days{date};
  if (rest.empty()) return time;
  if (!take(rest, 'T') && !take(rest, 't') && !take(rest, ' ')) return bad_time(text);
  const auto hour = take_digits(rest, 2);
  const bool colon = take(rest, ':');
  const auto minute = take_digits(rest, 2);
  if (!hour || !colon || !minute || *hour > 23 || *minute > 59) return bad_time(text);
  time += hours{*hour} + minutes{*minute};
  if (take(rest, ':')) {
    const auto second = take_digits(rest, 2);
    const auto nanos = take_fraction(rest);
    if (!second || !nanos || *second > 60) return bad_time(text);
    time += seconds{*second} + *nanos;
  }
  if (rest.empty() || rest == "Z" || rest == "z") return time;
  const bool behind = rest.front() == '-';
  if (!take(rest, '+') && !take(rest, '-')) return bad_time(text);
  const auto offset_hour = take_digits(rest, 2);
  take(rest, ':');
  const auto offset_minute = take_digits(rest, 2);
  if (!offset_hour || !offset_minute || !rest.empty()) return bad_time(text);
  const auto offset = hours{*offset_hour} + minutes{*offset_minute};
  return behind ? time + offset : time - offset;
}

Result<Time> parse_timestamp(std::string_view text, Time relative_to) {
  if (text.empty()) return bad_time(text);
  const auto dot = text.find('.');
  if (const auto whole = parse_int(text.substr(0, dot))) {
    std::string_view rest = dot == std::string_view::npos ? "" : text.substr(dot);
    const auto nanos = take_fraction(rest);
    if (nanos && rest.empty()) return Time{seconds{*whole}} + *nanos;
  }
  if (auto time = parse_rfc3339(text)) return time;
  if (auto duration = parse_duration(text)) return relative_to - *duration;
  return bad_time(text);
}

Result<nanoseconds> parse_duration(std::string_view text) {
  const auto bad = [&] { return invalid("time: invalid duration " + quoted(text)); };
  std::string_view rest = text;
  const bool negative = !rest.empty() && rest.front() == '-';
  if (!take(rest, '-')) take(rest, '+');
  if (rest == "0") return nanoseconds{0};
  if (rest.empty()) return bad();
  double total = 0;
  while (!rest.empty()) {
    const auto digits = rest.find_first_not_of("0123456789");
    double value = 0;
    if (digits != 0) {
      const auto whole = parse_uint(rest.substr(0, digits));
      if (!whole) return bad();
      value = static_cast<double>(*whole);
      rest.remove_prefix(digits == std::string_view::npos ? rest.size() : digits);
    }
    if (rest.empty()) return invalid("time: missing unit in duration " + quoted(text));
    if (rest.front() == '.') {
      const auto fraction = take_fraction(rest);
      if (!fraction) return bad();
      value += static_cast<double>(fraction->count()) / 1e9;
    } else if (digits == 0) {
      return bad();
    }
    const Unit* unit = nullptr;
    for (const auto& candidate : kUnits) {
      if (rest.starts_with(candidate.name)) {
        unit = &candidate;
        break;
      }
    }
    if (unit == nullptr) {
      const auto name = rest.substr(0, rest.find_first_of(".0123456789"));
      return invalid("time: unknown unit " + quoted(name) + " in duration " + quoted(text));
    }
    rest.remove_prefix(unit->name.size());
    total += value * unit->nanoseconds;
  }
  if (total > 9.2e18) return bad();
  return nanoseconds{std::llround(negative ? -total : total)};
}

std::string human_duration(nanoseconds duration) {
  const auto secs = duration_cast<seconds>(duration).count();
  if (secs < 1) return "Less than a second";
  if (secs == 1) return "1 second";
  if (secs < 60) return fmt::format("{} seconds", secs);
  const auto mins = secs / 60;
  if (mins == 1) return "About a minute";
  if (mins < 60) return fmt::format("{} minutes", mins);
  const double hours_exact = static_cast<double>(secs) / 3600;
  const auto whole_hours = static_cast<std::int64_t>(hours_exact + 0.5);
  if (whole_hours == 1) return "About an hour";
  if (whole_hours < 48) return fmt::format("{} hours", whole_hours);
  if (whole_hours < 24 * 7 * 2) return fmt::format("{} days", whole_hours / 24);
  if (whole_hours < 24 * 30 * 2) return fmt::format("{} weeks", whole_hours / 24 / 7);
  if (whole_hours < 24 * 365 * 2) return fmt::format("{} months", whole_hours / 24 / 30);
  return fmt::format("{} years", static_cast<std::int64_t>(hours_exact) / 24 / 365);
}

}  // namespace base
