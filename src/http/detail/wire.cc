#include "http/detail/wire.h"

#include <array>
#include <charconv>
#include <chrono>

#include <fmt/format.h>

#include "base/strings.h"

namespace http::detail {

using base::Result;

void append_status_line(std::string& out, int status, std::string_view reason) {
  fmt::format_to(std::back_inserter(out), "HTTP/1.1 {:03} {}\r\n", status, reason);
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  const std::size_t start = out.size();
  out += value;
  for (std::size_t i = start; i < out.size(); ++i) {
    if (out[i] == '\r' || out[i] == '\n' || out[i] == '\0') out[i] = ' ';
  }
  out += "\r\n";
}

void append_fields(std::string& out, const Headers& headers) {
  for (const auto& [name, value] : headers) append_field(out, name, value);
}

void append_date(std::string& out) {
  using namespace std::chrono;
  static constexpr std::array<std::string_view, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  struct Cached {
    sys_seconds second{seconds{-1}};
    std::string text;
  };
  thread_local Cached cached;
  const auto second = floor<seconds>(system_clock::now());
  if (second != cached.second) {
    const auto day = floor<days>(second);
    const year_month_day date{day};
    const hh_mm_ss clock{second - day};
    cached.text = fmt::format("Date: {}, {:02} {} {} {:02}:{:02}:{:02} GMT\r\n",
                              kDays[weekday{day}.c_encoding()], static_cast<unsigned>(date.day()),
                              kMonths[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                              clock.hours().count(), clock.minutes().count(), clock.seconds().count());
    cached.second = second;
  }
  out += cached.text;
}

void append_chunk_header(std::string& out, std::size_t size) {
  std::array<char, 18> text{};
  const auto end = std::to_chars(text.data(), text.data() + 16, size, 16).ptr;
  out.append(text.data(), end);
  out += "\r\n";
}

Result<> read_target(Request& request) {
  std::string_view target = request.target;
  if (!target.starts_with('/') && target != "*") {
    const auto scheme = base::cut(target, "://");
    if (!scheme) return base::invalid("invalid request target " + base::quoted(target));
    const auto path = scheme->second.find_first_of("/?");
    target = path == std::string_view::npos ? "/" : scheme->second.substr(path);
  }
  target = target.substr(0, target.find('#'));
  const auto parts = base::cut(target, "?");
  request.path = TRY(percent_decode(parts ? parts->first : target));
  if (request.path.empty()) request.path = "/";
  if (parts) request.query = Query::parse(parts->second);
  return {};
}

}  // namespace http::detail
